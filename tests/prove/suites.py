"""Every suite that has a long form: what it proves, how many cases at a time and in all."""

from __future__ import annotations

from dataclasses import dataclass

from tests.matrix.test_matrix import LONG
from tests.simulation.bugs import BUGS


@dataclass(frozen=True)
class Suite:
    """One row of the README's figures."""

    name: str
    test: str
    """What pytest is to run; it plays `tests.prove.cases`."""
    promise: str
    noun: str
    """What a case is called."""
    batch: int
    whole: int
    """Cases in one process, and in the long form (promises §3.3)."""


SUITES = (
    Suite(
        "simulation",
        "tests/simulation/test_simulation.py::test_every_promise_holds_whatever_happens",
        "Nothing lost, nothing twice, everything final, whatever crashes, faults and clocks do (T1, T13)",
        "schedules",
        50,
        20_000,
    ),
    Suite(
        "bugs",
        "tests/simulation/test_simulation.py::test_a_planted_bug_is_caught",
        "A bug planted into the core is caught within 500 of the same schedules (T1)",
        "bugs",
        4,
        len(BUGS),
    ),
    Suite(
        "kills",
        "tests/test_kill.py::test_killed_at_random_moments_nothing_accepted_is_lost_and_nobody_is_told_twice",
        "The real process killed with -9 at random moments: no report lost, no announcement twice (T2)",
        "kills",
        25,
        1_000,
    ),
    Suite(
        "power",
        "tests/power/test_power.py::test_after_a_power_cut_everything_acknowledged_is_there_and_nothing_leaves_twice",
        "The power fails at any write: what was acknowledged is there, what left does not leave again (T4)",
        "disk images",
        250,
        5_000,
    ),
    Suite(
        "disks",
        "tests/test_disk.py::test_a_disk_that_fills_or_refuses_at_random_moments_loses_nothing_that_was_acknowledged",
        "The disk fills or refuses at any statement: what was acknowledged is there, and all goes on when it is well (T11)",
        "troubles",
        50,
        500,
    ),
    Suite(
        "starts",
        "tests/db/test_migrate.py::test_a_start_killed_at_any_statement_leaves_the_old_tables_or_the_new_and_the_next_one_completes",
        "A start killed at any statement of an update: the old tables or the new, and the next start completes (T27)",
        "kills",
        50,
        200,
    ),
    Suite(
        "downtimes",
        "tests/scheduler/test_downtime.py::test_a_start_killed_at_any_statement_gives_back_once_what_was_lost_and_tells_everybody",
        "A start after a downtime killed at any statement: contests get back what was lost, once, and everybody is told once",
        "kills",
        50,
        200,
    ),
    Suite(
        "starts_postgresql",
        "tests/test_postgres.py::test_a_start_killed_at_any_statement_leaves_the_old_tables_or_the_new_and_the_next_one_completes",
        "The same on PostgreSQL (T27)",
        "kills",
        50,
        250,
    ),
    Suite(
        "drills",
        "tests/bot/test_drill.py::test_a_backup_under_load_is_one_moment_and_after_its_restore_nothing_is_sent_twice",
        "A house is saved in the midst of an announcement, lost and restored: the copy is one moment, nobody hears twice (T12)",
        "drills",
        10,
        100,
    ),
    Suite(
        "backups",
        "tests/bot/test_drill.py::test_a_backup_or_a_restore_killed_at_any_moment_is_done_or_not_and_never_half",
        "A backup or a restore is killed at any deed: done or not, and done again it is complete (T12)",
        "kills",
        50,
        200,
    ),
    Suite(
        "announcements",
        "tests/scheduler/test_great_announcement.py::test_an_announcement_to_very_many_ends_as_it_should_for_each",
        "An announcement to 100,000 people, twice, over a platform that refuses, breaks off and blocks: each ends as it should (T9)",
        "hundred people",
        1_000,
        1_000,
    ),
    Suite(
        "poison",
        "tests/bot/test_poison.py::test_one_in_ten_updates_is_poison_and_every_other_is_answered",
        "One update in ten cannot be handled, in every way there is: it is set aside, every other is answered (T15)",
        "hundred updates",
        10,
        500,
    ),
    Suite(
        "erasing",
        "tests/handlers/test_data_rights.py::test_what_somebody_typed_is_in_their_copy_and_after_erasing_nowhere_on_the_disk",
        "What somebody typed anywhere is in their copy, and a day after erasing in no byte of the disk (T26)",
        "people",
        50,
        500,
    ),
    Suite(
        "races",
        "tests/handlers/test_simultaneous.py::test_two_hundred_simultaneous_pairs_of_decisions_have_one_winner_each",
        "Two people deciding at once: one wins, the other is told (T8)",
        "pairs",
        200,
        20_000,
    ),
    Suite(
        "replays",
        "tests/test_replay.py::test_an_update_that_comes_again_and_again_takes_effect_once",
        "Updates that come one to five times, in batches that overlap and race, take effect once (T5)",
        "talks of six people",
        20,
        1_000,
    ),
    Suite(
        "webhooks",
        "tests/bot/test_hook.py::test_killed_while_updates_are_brought_nothing_that_got_a_200_is_lost",
        "Telegram brings the updates, the process is killed with -9, acknowledgements are lost, others forge: each once (T5, T10)",
        "kills",
        10,
        200,
    ),
    Suite(
        "network",
        "tests/bot/test_network.py::test_polling_goes_on_within_a_minute_of_any_trouble",
        "Whatever the network does, polling goes on within a minute of its end (T16)",
        "outages",
        50,
        1_000,
    ),
    Suite(
        "photos",
        "tests/content/test_hostile_files.py::test_a_mutated_photo_is_cleaned_or_refused_and_nothing_else",
        "Mutated photos: pixels stay or nothing, no canary gets through, only the process that looked may die (T19)",
        "files",
        2_500,
        50_000,
    ),
    Suite(
        "updates",
        "tests/bot/test_mutated.py::test_mutated_updates_end_nothing_and_change_only_what_is_their_senders",
        "Mutated Telegram updates: nothing stops, what cannot be read is set aside, only the sender's own rows change (T6)",
        "talks of 75 updates",
        20,
        13_400,
    ),
    Suite(
        "requests",
        "tests/bot/test_mutated.py::test_mutated_requests_end_nothing_and_change_only_what_is_their_senders",
        "The same for mutated requests to the web chat (T6)",
        "talks of 60 requests",
        20,
        1_000,
    ),
    Suite(
        "crowds",
        "tests/bot/test_doorway.py::test_what_gets_a_200_is_stored_once_and_nothing_else_is_whoever_crowds_the_door",
        "A crowd at the web door, forgeries of every way, slow clients: what got a 200 is stored once, nothing else is (T10)",
        "rounds of 100 posts",
        100,
        2_000,
    ),
    Suite(
        "texts",
        "tests/content/test_injection.py::test_what_people_type_is_shown_as_typed_and_never_as_code",
        "What people type is shown as they typed it, never as code (T20)",
        "texts",
        25_000,
        500_000,
    ),
    Suite(
        "braces",
        "tests/content/test_injection.py::test_an_officers_braces_are_refused_or_are_the_two_words_they_stand_for",
        "Officers' texts with braces: refused, or exactly the two words they stand for (T21)",
        "texts",
        20_000,
        200_000,
    ),
    Suite(
        "walks",
        "tests/handlers/test_walks.py::test_a_walk_of_any_kind_is_answered_step_by_step",
        "People of every role wander through every dialogue, type and forge what nobody should: always an answer (T6)",
        "walks of each of seven roles",
        20,
        1_000,
    ),
    Suite(
        "matrix",
        "tests/matrix/test_matrix.py::test_every_cell_every_change_meanwhile_and_every_flip",
        "Who may do what to whom, through the handlers; a right that goes away before the press; every flip of the policy (T7)",
        "cells, changes and flips",
        1_000,
        len(LONG),
    ),
    Suite(
        "audit",
        "tests/db/test_audit_chain.py::test_whatever_is_done_to_the_record_shows_and_where",
        "The audit edited, cut, filled, exchanged, rewritten: found, at the row where it was done (T24)",
        "attempts",
        1_000,
        20_000,
    ),
    Suite(
        "ends",
        "tests/test_kill.py::test_a_polite_end_under_load_leaves_nothing_in_doubt",
        "Ended politely under load: nothing lost, nothing in doubt, nothing twice (T3)",
        "ends",
        10,
        200,
    ),
    Suite(
        "outages",
        "tests/test_kill.py::test_what_came_while_we_were_down_is_answered_though_killed_while_it_drains",
        "10,000 updates that waited while we were down are all answered, though the process is killed while it drains them (T14)",
        "kills",
        100,
        100,
    ),
    Suite(
        "ranking",
        "tests/content/test_ranking.py::test_the_ranking_is_what_the_rules_say_whoever_works_it_out",
        "A contest's ranking is what its rules say: a brute-force oracle that knows only their words agrees on random rounds",
        "rounds",
        10_000,
        10_000,
    ),
    Suite(
        "rush",
        "tests/bot/test_contest_rush.py::test_the_last_half_hour_before_closing_loses_nothing_and_no_answer_waits_for_bulk",
        "3,000 people sit a ten-question paper in the last half hour before closing, beside an announcement to all of them: nothing lost, no answer behind bulk",
        "people",
        3_000,
        3_000,
    ),
    Suite(
        "soak",
        "tests/test_soak.py::test_for_minutes_on_end_nothing_is_lost_and_nothing_grows",
        "People write and the platform fails for minutes on end, a kill a minute in the first sixth: nothing lost, nothing kept (T18)",
        "minutes",
        120,
        120,
    ),
    Suite(
        "processes",
        "tests/test_processes.py::test_three_processes_killed_and_stopped_in_every_role_lose_nothing_and_say_nothing_twice",
        "Three processes on PostgreSQL, killed and stopped in every role, the server too: nothing lost, nothing twice (T17)",
        "rounds of six faults",
        1,
        50,
    ),
)
