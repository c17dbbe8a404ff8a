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
  nav.querySelectorAll("button").forEach((button) => {
    button.setAttribute("aria-pressed", String(!!find(button.dataset.key)));
    button.classList.toggle("front", !!phone && phone.dataset.key === button.dataset.key);
  });
}

function list() {
  let role = "";
  for (const person of people) {
    if (person.role !== role) {
      role = person.role;
      nav.appendChild(document.createElement("h2")).textContent = role;
    }
    const button = nav.appendChild(document.createElement("button"));
    button.type = "button";
    button.dataset.key = person.key;
    button.append(person.name);
    const line = button.appendChild(document.createElement("small"));
    line.textContent = person.unit;
    const beside = document.createElement("span"); // where there is no room for headings
    beside.className = "role";
    beside.textContent = person.role + (person.unit ? " · " : "");
    line.prepend(beside);
    button.addEventListener("click", () => open(person));
  }
}

// --------------------------------------------------------------------------------------------------------- clock

function tell(clock) {
  offset = new Date(clock.now) - Date.now();
  draw();
  at("moment").value = wall(here());
  at("moment").min = wall(here());
}

function draw() {
  at("clock").textContent = moving ? texts.demo_moving : `${longDay(here(), texts.weekdays)}, ${wall(here()).slice(11)}`;
}

async function move(to) {
  const controls = document.querySelectorAll(".bar button");
  const busy = (is) => {
    moving = is;
    controls.forEach((button) => { button.disabled = is; });
    draw();
  };
  busy(true);
  let clock = null;
  try {
    const headers = { "Content-Type": "application/json", "X-CSRF": csrf };
    clock = await json("demo/clock", { method: "POST", headers, body: JSON.stringify({ to: to.toISOString() }) });
  } catch {
    await hello().catch(() => {}); // the demo was started again meanwhile
    clock = await json("demo/clock").catch(() => null);
  }
  busy(false);
  if (clock) tell(clock);
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
  const labels = { what: "demo_title", "clock-label": "demo_clock", hour: "demo_hour", morning: "demo_morning", union: "demo_union_day", day: "demo_day", go: "demo_go", empty: "demo_empty" };
  for (const [id, key] of Object.entries(labels)) at(id).textContent = texts[key];
  nav.setAttribute("aria-label", texts.demo_pick);
  at("moment").setAttribute("aria-label", texts.demo_moment);
  list();
  tell(await json("demo/clock"));
  setInterval(draw, 5000);
  at("hour").addEventListener("click", () => move(new Date(here().getTime() + HOUR)));
  at("day").addEventListener("click", () => move(new Date(here().getTime() + 24 * HOUR)));
  at("morning").addEventListener("click", () => move(nextMorning()));
  at("union").addEventListener("click", () => move(unionDay()));
  at("pick").addEventListener("submit", (event) => {
    event.preventDefault();
    move(moment(at("moment").value));
  });
  // ?people=worker,reviewer opens these; otherwise a worker, and a reviewer where there is room beside.
  const reviewer = people.find((person) => person.group === "reviewer");
  const usual = [people[0], ...(window.innerWidth > 1100 && reviewer ? [reviewer] : [])].map((person) => person.key);
  const wanted = new URLSearchParams(location.search).get("people");
  for (const key of wanted ? wanted.split(",") : usual) {
    const person = people.find((one) => one.key === key);
    if (person) open(person);
  }
  front(phones.querySelector(".phone"));
}
begin();
