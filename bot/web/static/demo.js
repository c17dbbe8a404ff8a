"use strict";
// The demo's panels: who to be, and what time it is. Every phone is the same chat page a real person would see.
const phones = document.getElementById("phones");
const nav = document.getElementById("people");
const at = (id) => document.getElementById(id);
let people = [];
let texts = {};
let csrf = "";
let now = new Date();
let offset = 0;

function open(person) {
  let phone = phones.querySelector(`[data-key="${person.key}"]`);
  if (!phone) {
    phone = document.createElement("section");
    phone.className = "phone";
    phone.dataset.key = person.key;
    const who = phone.appendChild(document.createElement("div"));
    who.className = "who";
    who.appendChild(document.createElement("span")).textContent = `${person.name} · ${person.role}`;
    const close = who.appendChild(document.createElement("button"));
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", texts.demo_close);
    close.addEventListener("click", () => { phone.remove(); mark(); });
    const frame = phone.appendChild(document.createElement("iframe"));
    frame.src = `chat?as=${encodeURIComponent(person.key)}`;
    frame.title = person.name;
    phones.append(phone);
  }
  phones.querySelectorAll(".phone").forEach((other) => other.classList.toggle("front", other === phone));
  phone.scrollIntoView({ inline: "nearest", block: "nearest" });
  mark();
}

function mark() {
  nav.querySelectorAll("button").forEach((button) => {
    button.setAttribute("aria-pressed", String(!!phones.querySelector(`[data-key="${button.dataset.key}"]`)));
  });
}

function list() {
  let group = "";
  for (const person of people) {
    if (person.role !== group) {
      group = person.role;
      nav.appendChild(document.createElement("h2")).textContent = group;
    }
    const button = nav.appendChild(document.createElement("button"));
    button.type = "button";
    button.dataset.key = person.key;
    button.append(person.name);
    button.appendChild(document.createElement("small")).textContent = person.unit;
    button.addEventListener("click", () => open(person));
  }
}

function local(moment) {
  return new Date(moment.getTime() + 7 * 3600e3).toISOString().slice(0, 16);
}

function fromLocal(text) {
  return new Date(text + ":00+07:00");
}

function tell(clock) {
  now = new Date(clock.now);
  offset = now - Date.now();
  draw();
  at("moment").value = local(now);
}

function draw() {
  const here = new Date(Date.now() + offset);
  const day = here.toLocaleDateString("vi-VN", { weekday: "long", day: "numeric", month: "numeric", year: "numeric", timeZone: "Asia/Ho_Chi_Minh" });
  at("clock").textContent = `${day}, ${local(here).slice(11)}`;
}

async function move(moment) {
  const controls = document.querySelectorAll(".bar button");
  controls.forEach((button) => { button.disabled = true; });
  at("clock").textContent = texts.demo_moving;
  try {
    const answer = await fetch("demo/clock", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF": csrf },
      body: JSON.stringify({ to: moment.toISOString() }),
    });
    tell(answer.ok ? await answer.json() : await (await fetch("demo/clock")).json());
  } finally {
    controls.forEach((button) => { button.disabled = false; });
  }
}

function nextMorning() {
  const here = new Date(Date.now() + offset);
  return fromLocal(local(new Date(here.getTime() + 86400e3)).slice(0, 11) + "07:00");
}

function unionDay() {
  const here = new Date(Date.now() + offset);
  let target = fromLocal(`${local(here).slice(0, 4)}-07-28T07:00`);
  if (target <= here) target = fromLocal(`${Number(local(here).slice(0, 4)) + 1}-07-28T07:00`);
  return target;
}

async function begin() {
  people = await (await fetch("demo/people")).json();
  const me = await (await fetch(`api/me?as=${encodeURIComponent(people[0].key)}`)).json();
  texts = me.texts;
  csrf = me.csrf;
  document.title = texts.title;
  at("what").textContent = texts.demo_title;
  at("clock-label").textContent = texts.demo_clock;
  nav.setAttribute("aria-label", texts.demo_pick);
  for (const [id, key] of [["hour", "demo_hour"], ["morning", "demo_morning"], ["union", "demo_union_day"], ["day", "demo_day"], ["go", "demo_go"]]) at(id).textContent = texts[key];
  at("moment").setAttribute("aria-label", texts.demo_go);
  list();
  tell(await (await fetch("demo/clock")).json());
  setInterval(draw, 5000);
  at("hour").addEventListener("click", () => move(new Date(Date.now() + offset + 3600e3)));
  at("day").addEventListener("click", () => move(new Date(Date.now() + offset + 86400e3)));
  at("morning").addEventListener("click", () => move(nextMorning()));
  at("union").addEventListener("click", () => move(unionDay()));
  at("go").addEventListener("click", () => { if (at("moment").value) move(fromLocal(at("moment").value)); });
  const wide = window.innerWidth > 1100;
  const wanted = new URLSearchParams(location.search).get("people");
  const keys = wanted ? wanted.split(",") : wide ? [people[0].key, (people.find((p) => p.group === "reviewer") || people[1]).key] : [people[0].key];
  keys.forEach((key) => { const person = people.find((p) => p.key === key); if (person) open(person); });
}
begin();
