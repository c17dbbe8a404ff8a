"use strict";
// The demo's panels: who to be, and what time it is. Every phone is the same chat page a real person would see.
const at = (id) => document.getElementById(id);
const phones = at("phones");
const nav = at("people");
const MOST = 4; // browsers keep six connections to one server, and each phone holds one
const HOUR = 3600e3;
let people = [];
let texts = {};
let csrf = "";
let offset = 0;
let moving = false;
const read = {}; // key → the newest message that somebody looked at

const here = () => new Date(Date.now() + offset);
const moment = (text) => new Date(text + ":00+07:00");
const find = (key) => phones.querySelector(`[data-key="${CSS.escape(key)}"]`);
const json = async (address, options) => {
  const answer = await fetch(address, options);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
};

// ------------------------------------------------------------------------------------------------------- persons

function open(person) {
  let phone = find(person.key);
  if (!phone) {
    const all = phones.querySelectorAll(".phone");
    if (all.length >= MOST) all[0].remove();
    phone = make(person);
    phones.append(phone);
  }
  front(phone);
  news();
}

function make(person) {
  const phone = document.createElement("section");
  phone.className = "phone";
  phone.dataset.key = person.key;
  phone.setAttribute("aria-label", person.name);
  const who = phone.appendChild(document.createElement("div"));
  who.className = "who";
  who.appendChild(document.createElement("span")).textContent = `${person.name} · ${person.role}`;
  const close = who.appendChild(document.createElement("button"));
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", `${texts.demo_close}: ${person.name}`);
  close.addEventListener("click", () => {
    phone.remove();
    front(phones.querySelector(".phone"));
  });
  const frame = phone.appendChild(document.createElement("iframe"));
  frame.src = `chat?as=${encodeURIComponent(person.key)}`;
  frame.title = person.name;
  return phone;
}

function front(phone) {
  phones.querySelectorAll(".phone").forEach((other) => other.classList.toggle("front", other === phone));
  if (phone) phone.scrollIntoView({ inline: "nearest", block: "nearest" });
  if (phone) at("who").value = phone.dataset.key;
  nav.querySelectorAll("button").forEach((button) => {
    button.setAttribute("aria-pressed", String(!!find(button.dataset.key)));
    button.classList.toggle("front", !!phone && phone.dataset.key === button.dataset.key);
  });
}

function list() {
  let role = null;
  let group = null;
  for (const person of people) {
    if (person.role !== role) {
      role = person.role;
      nav.appendChild(document.createElement("h2")).textContent = role;
      group = at("who").appendChild(document.createElement("optgroup"));
      group.label = role;
    }
    const button = nav.appendChild(document.createElement("button"));
    button.type = "button";
    button.dataset.key = person.key;
    button.append(person.name);
    button.appendChild(document.createElement("small")).textContent = person.unit;
    const mark = button.appendChild(document.createElement("span"));
    mark.className = "unseen";
    button.addEventListener("click", () => open(person));
    const option = group.appendChild(document.createElement("option"));
    option.value = person.key;
    read[person.key] = person.latest;
  }
  at("who").addEventListener("change", () => open(people.find((person) => person.key === at("who").value)));
}

// Who has got something new since somebody last looked at their phone. An open phone is looked at.
function news() {
  for (const person of people) {
    if (find(person.key)) read[person.key] = person.latest;
    const fresh = person.latest > read[person.key];
    const button = nav.querySelector(`[data-key="${CSS.escape(person.key)}"]`);
    button.classList.toggle("news", fresh);
    button.querySelector(".unseen").textContent = fresh ? texts.demo_news : "";
    at("who").querySelector(`[value="${CSS.escape(person.key)}"]`).textContent = (fresh ? "● " : "") + person.name + (person.unit ? " – " + person.unit : "");
  }
}

// What changes by itself: who hears something, and what comes next.
async function look() {
  if (document.hidden) return;
  people = await json("demo/people");
  news();
  const clock = await json("demo/clock");
  if (moving) tell(clock);
  else ahead(clock.next);
}

// --------------------------------------------------------------------------------------------------------- clock

function tell(clock) {
  offset = new Date(clock.now) - Date.now();
  draw();
  at("moment").min = wall(here());
  if (moving) return;
  at("moment").value = wall(here());
  ahead(clock.next);
}

function draw() {
  const now = `${longDay(here(), texts.weekdays)}, ${wall(here()).slice(11)}`;
  at("clock").textContent = now;
  at("clock-label").textContent = moving ? texts.demo_moving : texts.demo_clock;
}

// The next things that happen by themselves; pressing one moves the clock there.
function ahead(events) {
  const known = at("next").dataset.events;
  const found = JSON.stringify(events);
  if (known === found) return; // what is pressed must not be replaced under the finger
  at("next").dataset.events = found;
  at("next").replaceChildren(...events.map((event) => {
    const button = document.createElement("button");
    button.type = "button";
    const at = wall(new Date(event.at));
    const day = at.slice(0, 10) === wall(here()).slice(0, 10) ? "" : `${Number(at.slice(8, 10))}/${Number(at.slice(5, 7))}, `;
    button.appendChild(document.createElement("b")).textContent = day + at.slice(11);
    button.append(" " + event.what);
    button.addEventListener("click", () => move(new Date(event.at)));
    return button;
  }));
}

// Where there is no room the controls are folded away, and again once they have done their work.
function unfold(shown) {
  at("bar").classList.toggle("shown", shown);
  at("toggle").setAttribute("aria-expanded", String(shown));
}

async function move(to) {
  const busy = (is) => {
    moving = is;
    document.querySelectorAll(".moves button, .ahead button").forEach((button) => { button.disabled = is; });
    draw();
  };
  busy(true);
  const watch = setInterval(() => look().catch(() => {}), 700); // time passes before one's eyes
  let clock = null;
  try {
    const headers = { "Content-Type": "application/json", "X-CSRF": csrf };
    clock = await json("demo/clock", { method: "POST", headers, body: JSON.stringify({ to: to.toISOString() }) });
  } catch {
    await hello().catch(() => {}); // the demo was started again meanwhile
    clock = await json("demo/clock").catch(() => null);
  }
  clearInterval(watch);
  busy(false);
  unfold(false);
  if (clock) tell(clock);
  look().catch(() => {});
}

function nextMorning() {
  return moment(wall(new Date(here().getTime() + 24 * HOUR)).slice(0, 11) + "07:00");
}

function unionDay() {
  const year = Number(wall(here()).slice(0, 4));
  const target = moment(`${year}-07-28T07:00`);
  return target > here() ? target : moment(`${year + 1}-07-28T07:00`);
}

// --------------------------------------------------------------------------------------------------------- begin

async function hello() {
  const me = await json(`api/me?as=${encodeURIComponent(people[0].key)}`);
  texts = me.texts;
  csrf = me.csrf;
}

async function begin() {
  people = await json("demo/people");
  await hello();
  document.title = texts.title;
  const labels = { what: "demo_title", toggle: "demo_panel", "next-label": "demo_next", hour: "demo_hour", morning: "demo_morning", union: "demo_union_day", day: "demo_day", go: "demo_go", empty: "demo_empty" };
  for (const [id, key] of Object.entries(labels)) at(id).textContent = texts[key];
  nav.setAttribute("aria-label", texts.demo_pick);
  at("who").setAttribute("aria-label", texts.demo_pick);
  at("moment").setAttribute("aria-label", texts.demo_moment);
  list();
  tell(await json("demo/clock"));
  setInterval(draw, 5000);
  setInterval(() => look().catch(() => {}), 4000);
  at("toggle").addEventListener("click", () => unfold(!at("bar").classList.contains("shown")));
  at("hour").addEventListener("click", () => move(new Date(here().getTime() + HOUR)));
  at("day").addEventListener("click", () => move(new Date(here().getTime() + 24 * HOUR)));
  at("morning").addEventListener("click", () => move(nextMorning()));
  at("union").addEventListener("click", () => move(unionDay()));
  at("pick").addEventListener("submit", (event) => {
    event.preventDefault();
    move(moment(at("moment").value));
  });
  // ?people=hoa,huong opens these; otherwise a worker, and beside her, where there is room, the chair who reviews.
  const chair = people.find((person) => person.group === "grassroots_chair");
  const usual = [people[0], ...(window.innerWidth > 900 && chair ? [chair] : [])].map((person) => person.key);
  const wanted = new URLSearchParams(location.search).get("people");
  for (const key of wanted ? wanted.split(",") : usual) {
    const person = people.find((one) => one.key === key);
    if (person) open(person);
  }
  front(phones.querySelector(".phone"));
}
begin();
