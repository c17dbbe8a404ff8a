"use strict";
// One chat: shows what was said, sends what is typed, tapped or attached, and keeps trying until it went through.
const asked = new URLSearchParams(location.search);
const as = asked.get("as") || "";
const start = asked.get("start") || "";
const at = (id) => document.getElementById(id);
const log = at("log");
const field = at("text");
const LARGEST = 20 * 1024 * 1024;
const MOST = 10;
const SAVED = "unsent:" + as;

const seen = new Map(); // message id → its box
const waiting = new Map(); // key → what was sent and has not come back as a message yet
const told = new Set(); // keys of what came back
const queue = [];
let me = { csrf: "", texts: {} };
let change = 0;
let sending = false;
let stream = null;
let pause = 1000;
let timer = 0;

const path = (address) => (as ? address + (address.includes("?") ? "&" : "?") + "as=" + encodeURIComponent(as) : address);
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const get = (address) => fetch(path(address), { credentials: "same-origin" });

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

function status(text) {
  at("offline").textContent = text || "";
}

// ------------------------------------------------------------------------------------------------------- drawing

// Text comes as a small HTML subset. It is never parsed as HTML: four tags are made by hand, all else is text or dropped.
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function plain(text) {
  return text.replace(/&(?:#(\d{1,6})|([a-z]+));/g, (whole, number, name) => (number ? String.fromCodePoint(Number(number)) : ENTITIES[name] || whole));
}

// A command that is named in a text, such as /start, can be pressed right there.
function spoken(target, text) {
  text.split(/(?<![\w/])(\/[a-z]{3,12})(?![\w/])/).forEach((part, i) => {
    if (i % 2 === 0) return target.append(part);
    const button = target.appendChild(element("button", "command", part));
    button.type = "button";
    button.addEventListener("click", () => post("api/say", { text: part }, part));
  });
}

function words(target, html) {
  const open = [{ name: "", into: target }];
  for (const part of html.split(/(<\/?[a-z][^>]*>)/i)) {
    const { name: last, into } = open[open.length - 1];
    const tag = /^<(\/?)([a-z]+)([^>]*)>$/i.exec(part);
    const name = tag && tag[2].toLowerCase();
    if (!tag) spoken(into, plain(part));
    else if (tag[1]) {
      if (name === last) open.pop();
    } else if (["b", "i", "u"].includes(name)) open.push({ name, into: into.appendChild(element(name)) });
    else if (name === "a") {
      const href = /\shref="(https:\/\/[^"]+)"/i.exec(tag[3]);
      const next = href ? into.appendChild(element("a")) : into;
      if (href) Object.assign(next, { href: plain(href[1]), rel: "noopener noreferrer nofollow", target: "_blank" });
      open.push({ name, into: next });
    }
  }
}

function show(message) {
  change = Math.max(change, message.change);
  const sent = message.mine && waiting.get(message.key);
  if (message.key) told.add(message.key);
  if (sent) waiting.delete(message.key);
  if (message.quiet) {
    const box = seen.get(message.id) || (sent && sent.box);
    if (box) box.remove();
    seen.delete(message.id);
    return;
  }
  const first = log.querySelector("[data-id]");
  let box = seen.get(message.id) || (sent && sent.box);
  if (!box && first && message.id < Number(first.dataset.id)) return; // changed, but further back than this page looks
  const fresh = !seen.has(message.id);
  const atEnd = isAtEnd();
  box = box || element("div");
  const previews = [...box.querySelectorAll(".preview")]; // what was just attached is not sent back to us
  box.className = "message" + (message.mine ? " mine" : "");
  box.dataset.id = message.id;
  box.dataset.day = wall(new Date(message.at)).slice(0, 10);
  box.replaceChildren(element("span", "unseen", message.mine ? me.texts.from_me : me.texts.from_us));
  if (message.media && message.media.length) box.append(media(message.media));
  if (message.files) box.append(attached(message.files, previews));
  const bubble = element("div", "bubble");
  if (message.mine) bubble.textContent = message.text;
  else words(bubble, message.text);
  if (bubble.textContent.trim()) box.append(bubble);
  if (message.rows && message.rows.length) box.append(buttons(message.id, message.rows));
  box.append(element("div", "time", wall(new Date(message.at)).slice(11)));
  if (fresh) {
    seen.set(message.id, box);
    place(box, message);
  }
  quieten();
  if (fresh && (atEnd || message.mine)) reveal(box);
}

// In the order of ids, before what still waits; a day that begins is announced once.
function place(box, message) {
  const later = [...log.querySelectorAll("[data-id]")].find((other) => other !== box && Number(other.dataset.id) > message.id);
  const next = later || log.querySelector(".waiting");
  if (next !== box) log.insertBefore(box, next);
  if (later) return;
  const earlier = [...log.querySelectorAll("[data-id]")].filter((other) => other !== box).pop();
  if (!earlier || earlier.dataset.day !== box.dataset.day) {
    box.before(element("div", "day", longDay(new Date(message.at), me.texts.weekdays)));
  }
}

function isAtEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 120;
}

// To the end, but never past the beginning of what is new.
function reveal(box) {
  log.scrollTop = Math.min(log.scrollHeight, box.offsetTop - log.offsetTop - 8);
}

function media(items) {
  const holder = element("div", "media");
  for (const item of items) {
    const link = holder.appendChild(element("a"));
    link.href = path(item.url);
    if (item.kind === "photo") {
      const atEnd = isAtEnd();
      const image = link.appendChild(element("img"));
      image.src = link.href;
      image.alt = item.name || me.texts.photo;
      image.addEventListener("load", () => { if (atEnd) log.scrollTop = log.scrollHeight; });
      link.target = "_blank";
      link.rel = "noopener";
    } else {
      link.className = "file";
      link.download = item.name;
      link.textContent = item.name || me.texts.download;
    }
  }
  return holder;
}

// One's own files: a picture of what was just chosen, or the name.
function attached(files, previews) {
  const holder = element("div", "media");
  files.forEach(([, name], i) => holder.append(previews[i] || element("span", "file", name || me.texts.photo)));
  return holder;
}

function preview(file) {
  if (!file.type.startsWith("image/")) return element("span", "file preview", file.name);
  const image = element("img", "preview");
  image.src = URL.createObjectURL(file);
  image.alt = file.name || me.texts.photo;
  image.addEventListener("load", () => { log.scrollTop = log.scrollHeight; });
  image.addEventListener("error", () => image.replaceWith(element("span", "file preview", file.name)));
  return image;
}

function buttons(id, rows) {
  const holder = element("div", "rows");
  for (const row of rows) {
    const line = holder.appendChild(element("div", "row"));
    for (const item of row) {
      const button = line.appendChild(element("button", "", item.label));
      button.type = "button";
      button.addEventListener("click", () => {
        // A finger that trembles presses once; afterwards the same button may be pressed again.
        if (holder.dataset.busy) return;
        holder.dataset.busy = "1";
        button.classList.add("chosen");
        post("api/press", { data: item.data, message: id }, item.label, null, () => {
          delete holder.dataset.busy;
          button.classList.remove("chosen");
        });
      });
    }
  }
  return holder;
}

// Buttons of older messages stay pressable but step back.
function quieten() {
  const all = [...log.querySelectorAll(".rows")];
  all.forEach((rows, i) => rows.classList.toggle("old", i < all.length - 1));
}

// ------------------------------------------------------------------------------------------------------- sending

function post(address, body, text, form, done) {
  queue.push(bubble({ address, body, text, form, done, key: newKey() }));
  save();
  work();
}

function bubble(item) {
  item.box = element("div", "message mine waiting");
  if (item.form) {
    const holder = item.box.appendChild(element("div", "media"));
    item.form.getAll("file").forEach((file) => holder.append(preview(file)));
  }
  if (item.text) item.box.append(element("div", "bubble", item.text));
  item.note = item.box.appendChild(element("div", "note", me.texts.sending));
  item.note.setAttribute("aria-hidden", "true");
  waiting.set(item.key, item);
  if (item.text || item.form) {
    log.append(item.box);
    log.scrollTop = log.scrollHeight;
  }
  return item;
}

function tell(item, text) {
  item.note.textContent = text;
  item.note.removeAttribute("aria-hidden");
}

// What is typed or tapped survives a reload; files do not, the browser would not give them back.
function save() {
  try {
    const kept = queue.filter((item) => !item.form).map(({ address, body, text, key }) => ({ address, body, text, key }));
    sessionStorage.setItem(SAVED, JSON.stringify(kept));
  } catch { /* a browser that keeps nothing */ }
}

function restore() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(SAVED) || "[]");
    for (const item of kept) if (!told.has(item.key)) queue.push(bubble(item));
  } catch { /* nothing was kept */ }
}

// One after the other, each with its own key: a repeated request is stored once.
async function work() {
  if (sending) return;
  sending = true;
  let rest = 1000;
  while (queue.length) {
    const item = queue[0];
    const end = await attempt(item);
    if (end) {
      queue.shift();
      save();
      if (item.done) item.done();
      rest = 1000;
    } else {
      await wait(rest);
      rest = Math.min(rest * 2, 15000);
    }
  }
  sending = false;
}

// True when there is nothing more to try.
async function attempt(item) {
  const options = { method: "POST", headers: { "X-CSRF": me.csrf }, credentials: "same-origin" };
  if (item.form) {
    item.form.set("key", item.key);
    options.body = item.form;
  } else {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify({ ...item.body, key: item.key });
  }
  let answer;
  try {
    answer = await fetch(path(item.address), options);
  } catch {
    status(me.texts.offline);
    tell(item, me.texts.failed);
    return false;
  }
  if (at("offline").textContent === me.texts.offline && stream && stream.readyState === EventSource.OPEN) status("");
  if (answer.ok) {
    item.note.textContent = "";
    return true;
  }
  const why = (await answer.json().catch(() => ({}))).error;
  if (answer.status === 401) {
    location.reload(); // the session is gone: begin anew, what is unsent comes along
    return false;
  }
  if (answer.status === 403) {
    await hello().catch(() => {});
    tell(item, me.texts.failed);
    return false;
  }
  if (answer.status === 429 || answer.status >= 500) {
    tell(item, why || me.texts.failed);
    return false;
  }
  tell(item, why || me.texts.refused);
  item.box.classList.add("failed");
  waiting.delete(item.key);
  return true;
}

function send() {
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  grow();
  post("api/say", { text }, text);
}

function sendFiles(files) {
  const problem = files.length > MOST ? me.texts.too_many : files.some((file) => file.size > LARGEST) ? me.texts.too_big : "";
  if (problem) {
    status(problem);
    setTimeout(() => { if (at("offline").textContent === problem) status(""); }, 10000);
    return;
  }
  const caption = field.value.trim();
  const form = new FormData();
  form.set("caption", caption);
  files.forEach((file) => form.append("file", file, file.name));
  field.value = "";
  grow();
  post("api/files", null, caption, form);
}

function grow() {
  field.style.height = "auto";
  field.style.height = field.scrollHeight + 2 + "px";
}

// ------------------------------------------------------------------------------------------------------ listening

async function hello() {
  const answer = await get("api/me");
  if (!answer.ok) {
    status((await answer.json().catch(() => ({}))).error);
    throw new Error("no session");
  }
  me = await answer.json();
  document.title = me.texts.title;
  at("title").textContent = me.texts.title;
  at("organisation").textContent = me.organisation;
  field.placeholder = me.texts.placeholder;
  field.setAttribute("aria-label", me.texts.placeholder);
  log.setAttribute("aria-label", me.texts.messages);
  at("menu").textContent = me.texts.menu;
  at("send").setAttribute("aria-label", me.texts.send);
  at("files").setAttribute("aria-label", me.texts.attach);
}

function listen() {
  clearTimeout(timer);
  if (stream) stream.close();
  // A page that nobody looks at lets go of its connection; what it misses comes when it is looked at again.
  if (document.hidden) return;
  stream = new EventSource(path("api/events?after=" + change));
  stream.addEventListener("open", () => {
    status("");
    pause = 1000;
  });
  stream.addEventListener("message", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("reset", forget);
  stream.addEventListener("error", () => {
    stream.close();
    status(me.texts.offline);
    timer = setTimeout(again, pause * (0.75 + Math.random() / 2));
    pause = Math.min(pause * 2, 30000);
  });
}

// A stream does not say why it ended; a plain request does.
async function again() {
  const answer = await get("api/messages?after=" + change).catch(() => null);
  if (answer && answer.status === 401) location.reload();
  else listen();
}

// Everything was erased at the person's wish: the page does not keep it either.
function forget() {
  change = 0;
  seen.clear();
  log.replaceChildren(...log.querySelectorAll(".waiting"));
}

async function begin() {
  for (let rest = 500; ; rest = Math.min(rest * 2, 10000)) {
    try {
      await hello();
      const answer = await get("api/messages");
      if (answer.status === 401) {
        status(me.texts.no_cookie);
        return;
      }
      const found = await answer.json();
      found.sort((a, b) => a.id - b.id).forEach(show);
      log.scrollTop = log.scrollHeight;
      log.removeAttribute("aria-busy");
      restore();
      if (start || (!found.length && !queue.length)) post("api/say", { text: ("/start " + start).trim() }, "");
      if (start) history.replaceState(null, "", location.pathname + (as ? "?as=" + encodeURIComponent(as) : ""));
      listen();
      work();
      return;
    } catch {
      if (me.texts.offline) status(me.texts.offline);
      await wait(rest);
    }
  }
}

at("menu").addEventListener("click", () => post("api/say", { text: "menu" }, me.texts.menu));
at("form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
field.addEventListener("input", grow);
field.addEventListener("keydown", (event) => {
  const composing = event.isComposing || event.keyCode === 229;
  if (event.key === "Enter" && !event.shiftKey && !composing) { event.preventDefault(); send(); }
});
at("files").addEventListener("change", (event) => {
  const files = [...event.target.files];
  if (files.length) sendFiles(files);
  event.target.value = "";
});
document.addEventListener("visibilitychange", listen);
window.addEventListener("online", listen);
begin();
