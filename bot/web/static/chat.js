"use strict";
// One chat: shows what was said, sends what is typed, tapped or attached, and keeps trying until it went through.
const as = new URLSearchParams(location.search).get("as");
const start = new URLSearchParams(location.search).get("start") || "";
const log = document.getElementById("log");
const field = document.getElementById("text");
const offline = document.getElementById("offline");
const seen = new Map();
const queue = [];
let me = { csrf: "", texts: {} };
let change = 0;
let sending = false;

const path = (address) => (as ? address + (address.includes("?") ? "&" : "?") + "as=" + encodeURIComponent(as) : address);
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// Text comes as a small HTML subset. It is parsed into an inert document and rebuilt from allowed parts only.
function words(target, html) {
  const inert = new DOMParser().parseFromString(html, "text/html");
  const build = (from, into) => {
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) into.append(node.textContent);
      else if (node.nodeType === Node.ELEMENT_NODE) {
        const tag = node.tagName.toLowerCase();
        let next = into;
        if (["b", "i", "u"].includes(tag)) next = into.appendChild(document.createElement(tag));
        else if (tag === "a" && /^https:\/\//.test(node.getAttribute("href") || "")) {
          next = into.appendChild(document.createElement("a"));
          next.href = node.getAttribute("href");
          next.rel = "noopener noreferrer nofollow";
          next.target = "_blank";
        }
        build(node, next);
      }
    }
  };
  target.textContent = "";
  build(inert.body, target);
}

function show(message) {
  change = Math.max(change, message.change);
  if (message.quiet) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  const known = seen.get(message.id);
  const box = known || document.createElement("div");
  box.className = "message" + (message.mine ? " mine" : "");
  box.textContent = "";
  if (message.media && message.media.length) box.append(media(message.media));
  const bubble = document.createElement("div");
  bubble.className = "bubble";
  if (message.mine) bubble.textContent = message.text || (message.files || []).map((name) => name || me.texts.photo).join(", ");
  else words(bubble, message.text);
  if (message.mine && message.files && message.text) bubble.textContent = message.files.join(", ") + "\n" + message.text;
  if (bubble.textContent) box.append(bubble);
  const time = document.createElement("div");
  time.className = "time";
  time.textContent = new Date(message.at).toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" });
  if (message.rows && message.rows.length) box.append(buttons(message.rows));
  box.append(time);
  if (!known) {
    seen.set(message.id, box);
    log.append(box);
  }
  quieten();
  if (atEnd || message.mine) log.scrollTop = log.scrollHeight;
}

function media(items) {
  const holder = document.createElement("div");
  holder.className = "media";
  for (const item of items) {
    if (item.kind === "photo") {
      const image = document.createElement("img");
      image.src = path(item.url);
      image.alt = item.name || me.texts.photo;
      image.addEventListener("load", () => { log.scrollTop = log.scrollHeight; });
      holder.append(image);
    } else {
      const link = document.createElement("a");
      link.href = path(item.url);
      link.download = item.name;
      link.textContent = item.name || me.texts.download;
      holder.append(link);
    }
  }
  return holder;
}

function buttons(rows) {
  const holder = document.createElement("div");
  holder.className = "rows";
  for (const row of rows) {
    const line = holder.appendChild(document.createElement("div"));
    line.className = "row";
    for (const item of row) {
      const button = line.appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = item.label;
      button.addEventListener("click", () => post("api/press", { data: item.data, label: item.label }, item.label));
    }
  }
  return holder;
}

// Buttons of older messages stay pressable but step back.
function quieten() {
  const withRows = [...log.querySelectorAll(".message")].filter((box) => box.querySelector(".rows"));
  withRows.forEach((box, i) => box.classList.toggle("old", i < withRows.length - 1));
}

function post(address, body, text, form) {
  const box = document.createElement("div");
  box.className = "message mine waiting";
  const bubble = box.appendChild(document.createElement("div"));
  bubble.className = "bubble";
  bubble.textContent = text;
  const note = box.appendChild(document.createElement("div"));
  note.className = "note";
  note.textContent = me.texts.sending;
  if (text) log.append(box);
  log.scrollTop = log.scrollHeight;
  queue.push({ address, body, form, box, note, key: newKey() });
  work();
}

// One after the other, each with its own key: a repeated request is stored once.
async function work() {
  if (sending) return;
  sending = true;
  let pause = 1000;
  while (queue.length) {
    const item = queue[0];
    try {
      const options = { method: "POST", headers: { "X-CSRF": me.csrf }, credentials: "same-origin" };
      if (item.form) {
        item.form.set("key", item.key);
        options.body = item.form;
      } else {
        options.headers["Content-Type"] = "application/json";
        options.body = JSON.stringify({ ...item.body, key: item.key });
      }
      const answer = await fetch(path(item.address), options);
      if (answer.ok) {
        item.box.remove();
        queue.shift();
        pause = 1000;
        continue;
      }
      if (answer.status === 401 || answer.status === 403) await hello();
      else if (answer.status < 500 && answer.status !== 429) {
        const told = await answer.json().catch(() => ({}));
        item.note.textContent = told.error || me.texts.failed;
        queue.shift();
        continue;
      } else item.note.textContent = (await answer.json().catch(() => ({}))).error || me.texts.failed;
    } catch {
      item.note.textContent = me.texts.failed;
    }
    await wait(pause);
    pause = Math.min(pause * 2, 15000);
  }
  sending = false;
}

function send() {
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  grow();
  post("api/say", { text }, text);
}

function grow() {
  field.style.height = "auto";
  field.style.height = field.scrollHeight + 2 + "px";
}

async function hello() {
  const answer = await fetch(path("api/me"), { credentials: "same-origin" });
  if (!answer.ok) throw new Error("no session");
  me = await answer.json();
  document.title = me.texts.title;
  document.getElementById("title").textContent = me.texts.title;
  document.getElementById("organisation").textContent = me.organisation;
  field.placeholder = me.texts.placeholder;
  field.setAttribute("aria-label", me.texts.placeholder);
  log.setAttribute("aria-label", me.texts.messages);
  document.getElementById("send").setAttribute("aria-label", me.texts.send);
  document.getElementById("files").setAttribute("aria-label", me.texts.attach);
  offline.textContent = me.texts.offline;
}

function listen() {
  const stream = new EventSource(path("api/events?after=" + change));
  stream.addEventListener("message", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("open", () => { offline.hidden = true; });
  stream.addEventListener("error", () => {
    offline.hidden = false;
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

async function begin() {
  let pause = 500;
  for (;;) {
    try {
      await hello();
      const found = await (await fetch(path("api/messages"), { credentials: "same-origin" })).json();
      found.sort((a, b) => a.id - b.id).forEach(show);
      listen();
      if (!as && (start || !found.length)) post("api/say", { text: ("/start " + start).trim() }, "");
      if (start) history.replaceState(null, "", location.pathname + (as ? "?as=" + encodeURIComponent(as) : ""));
      return;
    } catch {
      offline.hidden = !offline.textContent;
      await wait(pause);
      pause = Math.min(pause * 2, 10000);
    }
  }
}

document.getElementById("form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
field.addEventListener("input", grow);
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
});
document.getElementById("files").addEventListener("change", (event) => {
  const files = [...event.target.files];
  if (!files.length) return;
  const form = new FormData();
  form.set("caption", field.value.trim());
  files.forEach((file) => form.append("file", file, file.name));
  field.value = "";
  grow();
  post("api/files", null, files.map((file) => file.name).join(", "), form);
  event.target.value = "";
});
begin();
