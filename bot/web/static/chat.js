"use strict";
// One chat: shows what was said, sends what is typed, tapped or attached, and keeps trying until it went through.
const asked = new URLSearchParams(location.search);
const as = asked.get("as") || "";
const start = new URLSearchParams(location.hash.slice(1)).get("start") || asked.get("start") || "";
const at = (id) => document.getElementById(id);
const log = at("log");
const field = at("text");
const LARGEST = 20 * 1024 * 1024;
const MOST = 10;
const SAVED = "unsent:" + as;
const TYPED = "typed:" + as;
const SILENT = 50000; // ms without a sign of life from the server, which gives one every 20 s
const STALLED = { words: 45000, files: 180000 }; // ms without progress; a full buffer of photos drains slowly

const seen = new Map(); // message id → its box
const waiting = new Map(); // key → what was sent and has not come back as a message yet
const told = new Set(); // keys of what came back
const held = new Set(); // boxes of presses that are not shown yet
const queue = [];
const left = kept(SAVED, []); // what an earlier page did not get through
let me = { csrf: "", texts: {} };
let change = 0;
let pressed = 0; // the message of the last press
let live = false;
let sending = false;
let stream = null;
let pause = 1000;
let crowded = false; // plain requests are answered and streams are not: there are too many
let timer = 0;
let watch = 0;
let wake = () => {}; // ends the rest before the next try

const path = (address) => (as ? address + (address.includes("?") ? "&" : "?") + "as=" + encodeURIComponent(as) : address);
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const late = () => wait(20000).then(() => { throw new Error("no answer"); });
const get = (address) => Promise.race([fetch(path(address), { credentials: "same-origin" }), late()]);

function status(text) {
  const atEnd = isAtEnd();
  at("offline").textContent = text || "";
  if (atEnd) log.scrollTop = log.scrollHeight; // the note takes room above: what is last stays in sight
}

// ------------------------------------------------------------------------------------------------------- drawing

function show(message) {
  change = Math.max(change, message.change);
  const sent = message.mine && waiting.get(message.key);
  if (message.key) told.add(message.key);
  if (sent) waiting.delete(message.key);
  if (message.quiet) {
    const box = seen.get(message.id) || (sent && sent.box);
    if (box) box.remove();
    held.delete(box);
    seen.delete(message.id);
    return;
  }
  const first = log.querySelector("[data-id]");
  let box = seen.get(message.id) || (sent && sent.box);
  if (!box && first && message.id < Number(first.dataset.id)) return; // changed, but further back than this page looks
  const fresh = !seen.has(message.id);
  const atEnd = isAtEnd();
  const answers = !message.mine && fresh && held.size > 0;
  if (answers) [...held].forEach(release);
  if (!box && message.pressed && live) hold((box = element("div")));
  box = box || element("div");
  const previews = [...box.querySelectorAll(".preview")]; // what was just attached is not sent back to us
  const focused = [...box.querySelectorAll("button")].indexOf(document.activeElement);
  box.className = "message" + (message.mine ? " mine" : "");
  box.dataset.id = message.id;
  box.dataset.day = wall(new Date(message.at)).slice(0, 10);
  box.replaceChildren(element("span", "unseen", message.mine ? me.texts.from_me : me.texts.from_us));
  if (message.files) box.append(attached(message.files, previews));
  const bubble = element("div", "bubble");
  if (message.mine) spoken(bubble, message.text);
  else words(bubble, message.text, (command) => post("api/say", { text: command }, command));
  if (bubble.textContent.trim()) box.append(bubble);
  if (message.media && message.media.length) box.append(media(message.media));
  if (message.rows && message.rows.length) box.append(buttons(message.id, message.rows));
  box.append(element("div", "time", wall(new Date(message.at)).slice(11)));
  if (fresh) {
    seen.set(message.id, box);
    place(box, message);
  }
  quieten();
  if (fresh) {
    if ((atEnd || message.mine || answers) && !box.hidden) reveal(box);
  } else if (pressed && !message.mine) {
    // The answer to a press is a message that changed: whoever pressed sees which.
    box.classList.add("changed");
    box.scrollIntoView({ block: "nearest" });
    if (focused >= 0) (box.querySelectorAll("button")[focused] || log).focus({ preventScroll: true });
  }
  if (!message.mine) pressed = 0;
}

// A press that changes its own message is answered there and gets no bubble. So a press has one only once something is
// said below, when that takes long, or when it did not go through.
function hold(box) {
  box.hidden = true;
  held.add(box);
  setTimeout(() => { if (release(box)) reveal(box); }, 800);
}

function release(box) {
  box.hidden = false;
  return held.delete(box) && box.isConnected;
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

// To the end, but never past the beginning of what is new: one's own words are not, their answer comes below them.
function reveal(box) {
  const own = box.classList.contains("mine");
  log.scrollTop = own ? log.scrollHeight : Math.min(log.scrollHeight, box.offsetTop - log.offsetTop - 8);
}

function media(items) {
  const holder = element("div", items.length > 1 && items.every((item) => item.kind === "photo") ? "media several" : "media");
  for (const item of items) {
    const link = holder.appendChild(element("a"));
    link.href = path(item.url);
    if (item.kind === "photo") {
      const atEnd = isAtEnd();
      const image = link.appendChild(element("img"));
      image.src = link.href;
      image.alt = item.name || me.texts.photo;
      image.addEventListener("load", () => { if (atEnd) reveal(log.lastElementChild); });
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
      const button = line.appendChild(element("button"));
      spoken(button, item.label);
      button.type = "button";
      button.addEventListener("click", () => {
        // A finger that trembles presses once; afterwards the same button may be pressed again.
        if (holder.dataset.busy) return;
        holder.dataset.busy = "1";
        button.classList.add("chosen");
        pressed = id;
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
  if (live) work(); // else begin() does, after what an earlier page left
}

function bubble(item) {
  item.box = element("div", "message mine waiting");
  if (item.form) {
    const holder = item.box.appendChild(element("div", "media"));
    item.form.getAll("file").forEach((file) => holder.append(preview(file)));
  }
  if (item.text) spoken(item.box.appendChild(element("div", "bubble")), item.text);
  item.note = item.box.appendChild(element("div", "note", me.texts.sending));
  item.note.setAttribute("aria-hidden", "true");
  waiting.set(item.key, item);
  if (item.text || item.form) {
    log.append(item.box);
    if (item.body && item.body.data) hold(item.box);
    else log.scrollTop = log.scrollHeight;
  }
  return item;
}

function tell(item, text) {
  const atEnd = isAtEnd();
  release(item.box);
  item.note.textContent = text;
  item.note.removeAttribute("aria-hidden");
  if (atEnd) log.scrollTop = log.scrollHeight; // the note is the last thing there is, and news of the line took room above
}

function keep(name, value) {
  try { sessionStorage.setItem(name, JSON.stringify(value)); } catch { /* a browser that keeps nothing */ }
}

function kept(name, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) || otherwise;
  } catch {
    return otherwise; // nothing was kept
  }
}

// What is sent or tapped survives a reload; of files only the names do, the browser would not give them back.
function save() {
  const names = (form) => form && form.getAll("file").map((file) => file.name);
  const own = queue.map(({ address, body, text, form, key }) => ({ address, body, text, key, files: names(form) }));
  keep(SAVED, [...left, ...own]);
}

// What an earlier page left goes before what was typed while this one was loading.
function restore() {
  const early = queue.splice(0);
  for (const item of left.splice(0)) if (!told.has(item.key)) item.files ? lost(item) : queue.push(bubble(item));
  for (const item of early) {
    queue.push(item);
    log.append(item.box);
  }
}

// Files that a reload took: their names are shown to be chosen again, what was written beside them stands in the field.
function lost(item) {
  field.value = [field.value, item.text].filter(Boolean).join("\n");
  grow();
  bubble({ ...item, text: item.files.join(", ") });
  tell(waiting.get(item.key), me.texts.lost);
  waiting.get(item.key).box.classList.add("failed");
}

// One after the other, each with its own key: a repeated request is stored once.
async function work() {
  if (sending) return;
  sending = true;
  let rest = 1000;
  while (queue.length) {
    const item = queue[0];
    const woken = new Promise((done) => { wake = done; }); // also while the try is under way, which began without a line
    const end = await attempt(item);
    if (end) {
      queue.shift();
      save();
      if (item.done) item.done();
      rest = 1000;
    } else {
      await Promise.race([wait(rest), woken]);
      rest = Math.min(rest * 2, 15000);
    }
  }
  sending = false;
}

// True when there is nothing more to try.
async function attempt(item) {
  item.note.textContent = me.texts.sending;
  const answer = await deliver(item);
  if (!answer.status) {
    status(me.texts.offline);
    tell(item, me.texts.failed);
    return false;
  }
  if (at("offline").textContent === me.texts.offline && stream && stream.readyState === EventSource.OPEN) status("");
  if (answer.status === 200) {
    item.note.textContent = "";
    return true;
  }
  const why = (answer.response || {}).error;
  if (answer.status === 401) {
    location.reload(); // the session is gone: begin anew, what is unsent comes along
    return false;
  }
  if (answer.status === 403) {
    const old = me.csrf;
    await hello().catch(() => {});
    if (me.csrf !== old) return attempt(item); // the server was started anew meanwhile
    tell(item, me.texts.failed);
    return false;
  }
  if (answer.status === 408 || answer.status === 429 || answer.status >= 500) {
    tell(item, why || me.texts.failed);
    return false;
  }
  tell(item, why || me.texts.refused);
  item.box.classList.add("failed");
  waiting.delete(item.key);
  return true;
}

// Not fetch, which does not say how much of a photo is gone. Where nothing moves any more there is no line: status 0.
function deliver(item) {
  const request = new XMLHttpRequest();
  request.open("POST", path(item.address));
  request.responseType = "json";
  request.setRequestHeader("X-CSRF", me.csrf);
  let body = item.form;
  if (body) body.set("key", item.key);
  else {
    request.setRequestHeader("Content-Type", "application/json");
    body = JSON.stringify({ ...item.body, key: item.key });
  }
  return new Promise((done) => {
    let stalled = 0;
    const moving = (event) => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), item.form ? STALLED.files : STALLED.words);
      const part = item.form && event ? Math.floor((100 * event.loaded) / event.total) : 100;
      if (part < 100) item.note.textContent = `${me.texts.sending} ${part}%`;
    };
    request.upload.addEventListener("progress", moving);
    request.addEventListener("loadend", () => { clearTimeout(stalled); done(request); });
    moving();
    request.send(body);
  });
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

// What stands in the field, grown to its size; kept, for whoever reloads has not sent it yet.
function grow() {
  keep(TYPED, field.value);
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
  clearTimeout(watch);
  if (stream) stream.close();
  // A page that nobody looks at lets go of its connection; what it misses comes when it is looked at again.
  if (document.hidden) return;
  stream = new EventSource(path("api/events?after=" + change));
  stream.addEventListener("open", () => {
    status("");
    pause = 1000;
    crowded = false;
    wake();
  });
  stream.addEventListener("message", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("reset", forget);
  stream.addEventListener("error", broken);
  for (const sign of ["open", "message", "reset", "beat"]) stream.addEventListener(sign, alive);
  alive();
}

// A line may die without a word: then the server's signs of life stay away.
function alive() {
  clearTimeout(watch);
  watch = setTimeout(broken, SILENT);
}

function broken() {
  clearTimeout(watch);
  stream.close();
  if (!crowded) status(me.texts.offline);
  timer = setTimeout(again, pause * (0.75 + Math.random() / 2));
  pause = Math.min(pause * 2, crowded ? 8000 : 30000);
}

// A stream does not say why it ended; a plain request does. Where there is no room for a stream, it brings what was said.
async function again() {
  const answer = await get("api/messages?after=" + change).catch(() => null);
  if (answer && answer.status === 401) return location.reload();
  crowded = Boolean(answer && answer.ok);
  if (crowded) {
    status("");
    (await answer.json().catch(() => [])).forEach(show);
  }
  listen();
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
      live = true;
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
window.addEventListener("online", () => { listen(); wake(); });
window.addEventListener("offline", () => { if (stream) broken(); });
window.addEventListener("hashchange", () => location.reload()); // a link to this very page, with another code
field.value = field.value || kept(TYPED, "");
grow();
// Until now nothing listened: where scripts come late, buttons that do nothing must look so.
for (const id of ["menu", "files", "send"]) at(id).disabled = false;
begin();
