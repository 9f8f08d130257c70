// Civil time: what clocks show where the guests are, and where ticks go. All times are seconds since the epoch.
const zone = data.zone;

function offsetAt(t) {
  let offset = zone.first_offset_s;
  for (const [from, to] of zone.transitions) {
    if (t < from) break;
    offset = to;
  }
  return offset;
}

const pad = (n) => String(n).padStart(2, "0");
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// The civil time as a date whose UTC parts are the local ones.
const civil = (t) => new Date((t + offsetAt(t)) * 1000);
const fromCivil = (c) => c - offsetAt(c - offsetAt(c - zone.first_offset_s));

function clock(t, seconds) {
  const d = civil(t);
  return `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}${seconds ? ":" + pad(d.getUTCSeconds()) : ""}`;
}

function day(t, year) {
  const d = civil(t);
  const short = `${days[d.getUTCDay()]} ${d.getUTCDate()} ${months[d.getUTCMonth()]}`;
  return year ? `${short} ${d.getUTCFullYear()}` : short;
}

function utcOffset(t) {
  const minutes = Math.round(offsetAt(t) / 60);
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${size % 60 ? ":" + pad(size % 60) : ""}`;
}

function moment(t) {
  const parts = Math.round((t % 1) * 1000);
  const fraction = parts > 0 ? "." + String(parts).padStart(3, "0") : "";
  return `${day(t, true)} ${clock(t, true)}${fraction}`;
}

function span(s) {
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  const parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const said = [];
  let rest = Math.round(s);
  for (const [size, name] of parts) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 && said.length < 2) said.push(count + name);
  }
  return said.join(" ") || "0s";
}

const steps = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200];

// Ticks of at most so many: [time, label, whether it begins a day (or a year)].
function ticks(from, to, most) {
  const wide = to - from;
  const step = steps.find((one) => wide / one <= most);
  if (step) return clockTicks(from, to, step);
  const dayStep = [1, 2, 7, 14].find((one) => wide / (one * 86400) <= most);
  return dayStep ? dayTicks(from, to, dayStep) : monthTicks(from, to, most);
}

// Step by step in real time, so that the hours of a night on which clocks change come out as they are.
function clockTicks(from, to, step) {
  const found = [];
  const stride = Math.min(step, 3600);
  const first = Math.ceil((from + offsetAt(from)) / stride) * stride - offsetAt(from);
  for (let t = first; t <= to; t += stride) {
    const local = t + offsetAt(t);
    if (((local % step) + step) % step !== 0) continue;
    const midnight = local % 86400 === 0;
    found.push([t, midnight ? day(t) : clock(t, step < 60), midnight]);
  }
  return found;
}

function dayTicks(from, to, every) {
  const found = [];
  const first = Math.floor((from + offsetAt(from)) / 86400);
  for (let d = first; fromCivil(d * 86400) <= to; d++) {
    const t = fromCivil(d * 86400);
    // Weeks begin on Monday: day 4 of the epoch was the first.
    if (t < from || (((d - 4) % every) + every) % every !== 0) continue;
    const date = civil(t);
    found.push([t, every >= 7 ? `${date.getUTCDate()} ${months[date.getUTCMonth()]}` : day(t), date.getUTCDay() === 1]);
  }
  return found;
}

function monthTicks(from, to, most) {
  const found = [];
  const start = civil(from);
  const every = [1, 3, 6, 12, 24, 60, 120, 240].find((one) => (to - from) / (one * 2629746) <= most) || 600;
  const firstMonth = start.getUTCFullYear() * 12 + start.getUTCMonth();
  for (let m = Math.ceil(firstMonth / every) * every; ; m += every) {
    const t = fromCivil(Date.UTC(Math.floor(m / 12), m % 12, 1) / 1000);
    if (t > to) return found;
    const january = m % 12 === 0;
    if (t >= from) found.push([t, january ? String(Math.floor(m / 12)) : months[m % 12], january]);
  }
}
