"use strict";
// Dates as official papers write them, in Vietnam's time wherever the browser is.
const ZONE = 7 * 3600e3;

// The wall clock in Vietnam as "2025-07-25T16:55".
function wall(moment) {
  return new Date(moment.getTime() + ZONE).toISOString().slice(0, 16);
}

// Stands on a line of its own, so it begins with a capital. Days under 10 and months 1 and 2 take a zero; `weekdays` is a list of names, Sunday first.
function longDay(moment, weekdays) {
  const here = new Date(moment.getTime() + ZONE);
  const day = String(here.getUTCDate()).padStart(2, "0");
  const month = here.getUTCMonth() + 1;
  const name = weekdays.split(", ")[here.getUTCDay()];
  return `${name[0].toUpperCase()}${name.slice(1)}, ${day}/${month < 3 ? "0" + month : month}/${here.getUTCFullYear()}`;
}
