"use strict";
// What is said, drawn: text comes as a small HTML subset. It is never parsed as HTML: four tags are made by hand, all
// else is text or dropped.
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
// A code such as SK-26-0123, which does not fall apart at the end of a line; or a command such as /start, which can be
// pressed right there unless a code follows: it would be left behind.
const PARTS = /((?<![\w-])[A-Z]{2}(?:-[A-Z\d]{2,4}){2,3}(?![\w-])|(?<![\w/<])\/[a-z]{3,12}(?![\w/]| [a-z]-))/;

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

function plain(text) {
  return text.replace(/&(?:#(\d{1,6})|([a-z]+));/g, (whole, number, name) => (number ? String.fromCodePoint(Number(number)) : ENTITIES[name] || whole));
}

// Text without markup; `press` is called with the command that was pressed, without it none can be.
function spoken(target, text, press) {
  text.split(PARTS).forEach((part, i) => {
    if (i % 2 && part[0] !== "/") target.append(element("span", "code", part));
    else if (i % 2 && press) {
      const button = target.appendChild(element("button", "command", part));
      button.type = "button";
      button.addEventListener("click", () => press(part));
    } else target.append(part);
  });
}

function words(target, html, press) {
  const open = [{ name: "", into: target }];
  for (const part of html.split(/(<\/?[a-z][^>]*>)/i)) {
    const { name: last, into } = open[open.length - 1];
    const tag = /^<(\/?)([a-z]+)([^>]*)>$/i.exec(part);
    const name = tag && tag[2].toLowerCase();
    if (!tag) spoken(into, plain(part), press);
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
