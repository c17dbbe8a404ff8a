"""How each deed of the table is done: what is typed and pressed, forged buttons included, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

WORDS = "Nhờ anh/chị gửi thêm ảnh chụp"


@dataclass(frozen=True)
class Door:
    """`steps`: `/…` and words are typed, `c:…` is a forged button, `>key` an option of the screen before one,
    `?>key` one that not everybody is asked.

    `leaves` is the audit's word for the deed and `table` what else changes; a deed that only shows something is known by
    the `shows` keys."""

    steps: tuple[str, ...]
    leaves: str = ""
    table: str = ""
    shows: tuple[str, ...] = ()
    names_unit: bool = False
    """Whether the unit is typed: words that mean nothing within reach may mean something else there."""
    readable: bool = False
    """Whether some who may not do it may see it all the same: an answer shows how it stands."""
    house: tuple[str, ...] = ()
    """Facts that must be on before: the stop that is to be lifted."""


REPORT, MESSAGE, ROUND = "submissions", "broadcasts", "contest_rounds"

DOORS: dict[str, Door] = {
    # ------------------------------------------------------------------------------------------------ reports
    "read": Door(("/duyet {sent}",), shows=("moderation.card",)),
    "read_full": Door(("c:docdu:{sent}",), shows=("moderation.full",)),
    "read_files": Door(("c:xemtep:{sent}",), shows=("moderation.files", "moderation.no_files")),
    "compare": Door(("c:sosanh:{sent}",), shows=("moderation.compare", "moderation.no_likely")),
    "read_more": Door(("c:vieckhac:{sent_v}",), shows=("moderation.more",)),
    "claim": Door(("c:nhan:{sent_v}",), "claimed", REPORT),
    "give_back": Door(("c:tralai:{held_v}",), "returned", REPORT),
    "accept": Door(("c:chapnhan:{sent_v}", ">yes"), "verified", REPORT),
    "ask": Door(("c:canbosung:{sent_v}", WORDS, ">send"), "asked", REPORT),
    "reject": Door(("c:khongchon:{sent_v}", WORDS, ">send"), "not_selected", REPORT),
    "answer": Door(("c:traloihoi:{question_v}", WORDS, ">send"), "answered", REPORT),
    "contact": Door(("c:lienhe:{sent_v}", WORDS, ">send"), "contacted", "submission_events"),
    "reopen": Door(("c:xetlai:{verified_v}", WORDS, ">send"), "taken_up", REPORT),
    "note": Door(("c:ghichu:{sent_v}", WORDS), "note", "submission_events"),
    "duplicate": Door(("c:trung:{named_v}", "{sent}", ">yes"), "duplicate", REPORT),
    "unduplicate": Door(("c:botrung:{duplicate_v}",), "unduplicated", REPORT),
    # ------------------------------------------------------------------------------------------------ messages
    "send": Door(
        ("/guitin", "?>notice", ">unit", "{unit}", ">done", ">next", "Mời anh/chị họp", "tiếp", ">next", ">now", ">send"),
        "broadcast", MESSAGE, names_unit=True,
    ),
    "see_message": Door(("c:xemtin:{waiting}",), shows=("announcing.card",)),
    "unreached": Door(("c:chuanhan:{done}",), "list_unreached", "jobs"),
    "correct": Door(("c:dinhchinh:{done_v}",), shows=("announcing.correct_text",)),
    "take_up": Door(("c:soanlai:{left_v}",), "cancel_broadcast", MESSAGE),
    "approve": Door(("c:duyettin:{waiting_v}",), "approve_broadcast", MESSAGE),
    "return": Door(("c:tratin:{waiting_v}", WORDS), "return_broadcast", MESSAGE),
    "refuse": Door(("c:khonggui:{waiting_v}",), "refuse_broadcast", MESSAGE),
    "pause": Door(("c:tamdung:{sending_v}",), "pause_broadcast", MESSAGE),
    "resume": Door(("c:guitiep:{paused_v}",), "resume_broadcast", MESSAGE),
    "cancel": Door(("c:dunghan:{paused_v}", ">yes"), "cancel_broadcast", MESSAGE),
    "send_unknown": Door(("c:guilaitin:{done_v}", ">yes"), "resend_unknown", MESSAGE),
    "see_calendar": Door(("/lich",), shows=("automatic.list",)),
    "release_automatic": Door(("c:guitudong:{automatic}",), "release_automatic", "automatic_messages"),
    "stop_automatic": Door(("c:dungtudong:{automatic}",), "stop_automatic", "automatic_messages"),
    "rewrite_automatic": Door(
        ("c:suatudong:{automatic}", "Chúc mừng ngày thành lập Công đoàn Việt Nam", ">save"),
        "edit_automatic", "automatic_messages",
    ),
    "release_rewritten": Door(("c:guitudong:{rewritten}",), "release_automatic", "automatic_messages"),
    "stop_all": Door(("/dungkhan", ">yes"), "emergency_stop", "facts"),
    "start_again": Door(("c:choguilai:", ">yes"), "lift_stop", "facts", house=("stop",)),
    "solemn": Door(("c:trangnghiem:",), "respectful_mode", "facts"),
    "see_alarms": Door(("/suco",), shows=("alarms.list",)),
    "know_alarm": Door(("c:dabiet:{alarm}",), "acknowledge_alarm", "alarms"),
    "activity": Door(("c:viecdonvi:", ">{day}", "Chào cờ lúc 7 giờ tại sân", ">save"), "write_activity", "unit_activities"),
    # ------------------------------------------------------------------------------------------------ people and units
    "confirm_member": Door(("/donvi", ">confirm", ">person-{newcomer}", ">yes"), "confirm_member", "persons"),
    "decline_member": Door(("/donvi", ">confirm", ">person-{newcomer}", ">no"), "decline_member", "persons"),
    "qr": Door(("/donvi", ">qr", "{unit}"), shows=("units.qr",), names_unit=True),
    "match_place": Door(("/donvi", ">requests", ">request-{request}", ">other", "{unit}"), "match_workplace", "unit_requests"),
    "create_place": Door(
        ("/donvi", ">requests", ">request-{request}", ">create", ">keep", "{unit}", ">yes"), "create_unit", "units"
    ),
    "refuse_place": Door(("/donvi", ">requests", ">request-{request}", ">refuse"), "refuse_workplace", "unit_requests"),
    "read_question": Door(("c:baosai:{question_report}",), shows=("question_reports.one",)),
    "answer_question": Door(("c:baosai:{question_report}", ">answer", WORDS), "answer_report", "question_reports"),
    "void_question": Door(("c:baosai:{question_report}", ">void", WORDS, ">yes"), "review_question", "question_reviews"),
    "review_question": Door(("/soatluat", ">topic-membership", ">right"), "review_question", "question_reviews"),
    "invite": Door(("/donvi", ">invite", ">{role}", "{unit}"), "invite", "invitations", names_unit=True),
    "confirm_role": Door(("c:xacnhanquyen:{offer}",), "confirm_role", "grants"),
    "revoke_role": Door(("c:thuhoi:{grant}", ">yes"), "revoke_role", "grants"),
    # ------------------------------------------------------------------------------------------------ contests
    "write_round": Door(
        ("c:lapthi:", "Tìm hiểu luật", "Quyền của đoàn viên", "1 giải Nhất", ">check", ">save"), "create_round", ROUND
    ),
    "edit_round": Door(("c:suathi:{draft_v}", ">check", ">save"), "change_round", ROUND),
    "next_round": Door(("c:tuansau:{draft_v}", ">check", ">save"), "create_round", ROUND),
    "drop_round": Door(("c:bothi:{draft_v}",), "cancel_round", ROUND),
    "ask_round": Door(("c:guiduyetthi:{draft_v}",), "ask_round", ROUND),
    "see_round": Door(("c:tochuc:{draft}",), shows=("contest_desk.round",)),
    "see_rules": Door(("c:xemthele:{draft_v}",), shows=("contest_desk.rules",)),
    "put_off_round": Door(("c:giahanthi:{open_v}", "21 giờ 30/12/2025", WORDS, "dong y"), "put_off_round", ROUND),
    "make_up_round": Door(("c:keodaithi:{lost}",), "extend_round", "contest_downtimes"),
    "leave_round": Door(("c:giunguyenthi:{lost}",), "leave_round", "contest_downtimes"),
    "pause_round": Door(("c:tamdungthi:{open_v}", WORDS, "dong y"), "pause_round", ROUND),
    "resume_round": Door(("c:molaithi:{halted_v}",), "resume_round", ROUND),
    "approve_round": Door(("c:duyetthi:{laid_v}",), "approve_round", ROUND),
    "return_round": Door(("c:trathi:{laid_v}", WORDS), "return_round", ROUND),
    "cancel_round": Door(("c:huythi:{open_v}", WORDS, "dong y"), "cancel_round", ROUND),
    "read_complaint": Door(("c:thacmacthi:{objection}",), shows=("contest_desk.complaint",)),
    "answer_complaint": Door(("c:thacmacthi:{objection}", ">answer", WORDS), "answer_complaint", "contest_complaints"),
    "void_in_round": Door(("c:loaicau:{held_round_v}", "cd-57", ">q-0", WORDS, ">yes"), "void_question", "contest_questions"),
    "disqualify": Door(("c:khongxet:{held_round_v}", "{paper}", ">out", WORDS), "disqualify", "contest_disqualifications"),
    "exclude": Door(
        ("c:khongduthi:{open_v}", "{winner}", ">person-{winner_id}", ">exclude", WORDS), "disqualify", "contest_disqualifications"
    ),
    "see_flags": Door(("c:dauhieu:{held_round_v}",), shows=("contest_desk.flags",)),
    "report_round": Door(("c:baocaothi:{held_round_v}",), "contest_report", "jobs"),
    "see_prizes": Door(("c:giaithuong:{held_round_v}",), shows=("contest_prize.prizes",)),
    "send_prize": Door(("c:chuyencdcs:{ready_prize}",), "send_prize", "contest_prizes"),
    "pass_prize": Door(("c:chuyengiai:{ready_prize}", WORDS), "pass_prize", "contest_prizes"),
    "verify_winner": Door(("c:dungdoanvien:{new_prize}",), "verify_winner", "contest_prizes"),
    "deny_winner": Door(("c:khongphaidv:{new_prize}",), "deny_winner", "outbox"),
    # ------------------------------------------------------------------------------------------------ one's own
    "own_phone": Door(("c:nhangiai:{own_prize}", "0912345678"), shows=("contest_prize.phone_done",), table="contest_prizes"),
    "own_received": Door(("c:danhangiai:{sent_prize}",), shows=("contest_prize.received",), table="contest_prizes"),
    "own_read": Door(("/hoso {sent}",), shows=("mysubmissions.detail",)),
    "own_withdraw": Door(("c:rut:{sent_v}", ">yes"), "withdrawn", REPORT),
    "own_question": Door(("c:hoilai:{refused}", WORDS), "question", REPORT),
    "own_reopen": Door(("c:molai:{closed_v}",), "reopened", REPORT),
    "own_add": Door(("c:bosung:{need}", WORDS, ">send"), "supplemented", REPORT),
    "own_remind": Door(("c:nhactoi:{need}",), shows=("supplement.evening",), table=REPORT),
    "own_mend": Door(("c:guilai:{refused}",), shows=("report.preview",)),
    "own_share": Door(("c:baototruong:{verified}",), "leader_told", "submission_events"),
    "coauthor_yes": Door(("c:dongtacgia:{sent}.yes",), "coauthor_yes", "coauthors"),
    "own_rewrite": Door(("c:soanlai:{returned_v}",), shows=("announcing.preview",), readable=True),
}  # fmt: skip

SERVED = {
    "bosoanthi": "throws one's own draft away and leads to what `write_round`, `edit_round` and `next_round` look at",
    "tepthi": "asks for a document; whose contest it is stands in it and is looked at when it is read",
    "hosotiep": "leads from card to card by what `read` and the queue show",
    "tincho": "shows the first message that `approve` may be done to",
    "thichoduyet": "shows the first round that `approve_round` may be done to",
    "xacminhgiai": "lists the prizes that `verify_winner` and `deny_winner` may be done to",
    "giaicho": "lists the prizes that `send_prize` and `pass_prize` may be done to",
    "tincua": "lists one's own",
    "nhanquyen": "an invitation is for whoever has its code",
}
"""Commands of officers that open nothing of their own."""
OWN = frozenset(
    [
        "menu",
        "themmuc",
        "trogiup",
        "canbo",
        "tieptuc",
        "thongbao",
        "dungtin",
        "battin",
        "bottin",
        "dangky",
        "onluat",
        "hoiluat",
        "dieuluat",
        "gapcanbo",
        "xephang",
        "giayxacnhan",
        "thi",
        "thele",
        "baithi",
        "kqthi",
        "dapan",
        "thacmac",
        "ngayle",
        "nhacngayle",
        "nhacthi",
        "thidua",
        "ketqua",
        "sangkien",
        "canhan",
        "dulieu",
        "start",
        "thamgia",
        "bonhap",
    ]
)
"""Commands that only ever touch what belongs to who gives them."""
