// What all figures draw with: colours of the theme, a canvas that fits the screen, scales and axes.
const palette = ["#4477aa", "#ee7733", "#228833", "#66ccee", "#aa3377", "#ccbb44", "#ee6677", "#009988"];
const baseColours = ["#8a94a0", "#a9a294", "#77858a"];
const theme = {};

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ground", "ink", "muted", "rule", "accent", "bad", "shade", "hatch"]) {
    theme[name] = style.getPropertyValue(`--${name}`).trim();
  }
  theme.font = `12px ${style.getPropertyValue("--font").trim()}`;
  patterns.clear();
}

const hostColours = (() => {
  let bases = 0;
  let others = 0;
  return data.hosts.map((host) =>
    host.base ? baseColours[bases++ % baseColours.length] : palette[others++ % palette.length]);
})();
const hostColour = (host) => (host === null || host === undefined ? theme.rule : hostColours[host]);
const hostName = (host) => (host === null || host === undefined ? "somewhere unknown" : data.hosts[host].name);

// Black or white, whichever is read better on a colour of the palette.
function inkOn(colour) {
  const part = (at) => {
    const c = parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const light = 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  return light > 0.183 ? "#101418" : "#ffffff";
}

const patterns = new Map();

// Stripes over what is below: of a guest that rests, or moves.
function stripes(ctx, colour, dense) {
  const key = colour + dense;
  if (!patterns.has(key)) {
    const tile = document.createElement("canvas");
    const size = dense ? 4 : 8;
    tile.width = tile.height = size;
    const on = tile.getContext("2d");
    on.strokeStyle = colour;
    on.lineWidth = dense ? 1.2 : 1.8;
    on.beginPath();
    for (const shift of [-size, 0, size]) {
      on.moveTo(shift - 1, size + 1);
      on.lineTo(shift + size + 1, -1);
    }
    on.stroke();
    patterns.set(key, ctx.createPattern(tile, "repeat"));
  }
  return patterns.get(key);
}

// Sizes a canvas to its box and clears it; the context counts in CSS pixels.
function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.font = theme.font;
  ctx.textBaseline = "middle";
  return ctx;
}

const number = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 7 });
const spaced = (v) => number.format(v).replaceAll(",", "\u2009");
const num = (v) => (v === null || v === undefined ? "–" : spaced(v));

// Short, for an axis.
function tickLabel(v) {
  const size = Math.abs(v);
  for (const [by, name] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (size >= by) return spaced(+(v / (by === 1e4 ? 1e3 : by)).toPrecision(3)) + (by === 1e4 ? "k" : name);
  }
  return spaced(+v.toPrecision(3));
}

// Round numbers from low to high, about so many.
function niceTicks(low, high, about, whole) {
  const rough = (high - low) / about || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough - 1e-12);
  if (whole) step = Math.max(1, Math.ceil(step));
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) found.push(+v.toPrecision(12));
  return found;
}

// Horizontal lines with their numbers, and the time's ticks as faint lines.
function grid(ctx, box, y, values, unit) {
  ctx.textAlign = "right";
  ctx.lineWidth = 1;
  for (const v of values) {
    const at = Math.round(y(v)) + 0.5;
    ctx.strokeStyle = theme.rule;
    ctx.beginPath();
    ctx.moveTo(box.left, at);
    ctx.lineTo(box.right, at);
    ctx.stroke();
    ctx.fillStyle = theme.muted;
    ctx.fillText(tickLabel(v) + (unit || ""), box.left - 8, at);
  }
}

function timeGrid(ctx, box) {
  ctx.lineWidth = 1;
  for (const [t, , strong] of view.ticks) {
    const x = Math.round(xOf(t - start)) + 0.5;
    ctx.globalAlpha = strong ? 1 : 0.5;
    ctx.strokeStyle = theme.rule;
    ctx.beginPath();
    ctx.moveTo(x, box.top);
    ctx.lineTo(x, box.bottom);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

// The first index whose time is later.
function after(at, t) {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Everything between two plots is cut at their edges.
function clipped(ctx, box, draw) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  ctx.clip();
  draw();
  ctx.restore();
}
