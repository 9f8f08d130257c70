// The one time axis: what is in view, where the cursor is, and who changes them.
const start = data.range.from / 1000;
const lasts = Math.max((data.range.to - data.range.from) / 1000, 0.001);
const view = { from: 0, to: lasts, cursor: null, guest: null, ticks: [] };
const layout = { width: 0, left: 0, right: 0, gutter: 0 };
const plots = [];
const closest = Math.min(lasts, 5);

const xOf = (t) => layout.left + ((t - view.from) / (view.to - view.from)) * (layout.right - layout.left);
const tOf = (x) => view.from + ((x - layout.left) / (layout.right - layout.left)) * (view.to - view.from);

let asked = false;
function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    drawAll();
  });
}

function measure() {
  const width = document.getElementById("figures").clientWidth;
  const wide = width >= 700;
  layout.width = width;
  layout.left = wide ? 64 : 44;
  layout.gutter = wide && plots.some((plot) => plot.kind === "indicator") ? 118 : 8;
  layout.right = width - layout.gutter;
}

function drawAll() {
  measure();
  const most = Math.max(2, Math.floor((layout.right - layout.left) / (layout.width < 700 ? 66 : 88)));
  view.ticks = ticks(start + view.from, start + view.to, most);
  drawAxis();
  const groups = new Map();
  for (const plot of plots) {
    if (!groups.has(plot.id)) groups.set(plot.id, []);
    groups.get(plot.id).push(plot);
  }
  for (const group of groups.values()) {
    const scale = figures[group[0].kind].scale(group);
    for (const plot of group) drawPlot(plot, scale);
  }
  placeCursor();
  const root = document.documentElement.dataset;
  [root.from, root.to] = [view.from, view.to];
}

function drawPlot(plot, scale) {
  const kind = figures[plot.kind];
  const height = kind.height(layout.width, plot.figure);
  plot.scroll.style.height = `${height}px`;
  if (kind.full) plot.spacer.style.height = `${Math.max(0, kind.full(plot.figure) - height)}px`;
  const ctx = prepare(plot.canvas, layout.width, height);
  const box = { left: layout.left, right: layout.right, top: 8, bottom: height - 8, gutter: layout.gutter };
  if (plot.kind === "lanes") [box.top, box.bottom] = [0, height];
  kind.draw(ctx, box, plot.figure, scale, plot.scroll.scrollTop);
  clipped(ctx, box, () => {
    let free = -Infinity;
    for (const mark of data.marks) {
      const x = Math.round(xOf(mark.at)) + 0.5;
      if (mark.until !== null) {
        ctx.fillStyle = theme.accent;
        ctx.globalAlpha = 0.1;
        ctx.fillRect(x, box.top, Math.max(1, xOf(mark.until) - x), box.bottom - box.top);
        ctx.globalAlpha = 1;
      }
      ctx.strokeStyle = theme.accent;
      ctx.setLineDash([2, 3]);
      ctx.beginPath();
      ctx.moveTo(x, box.top);
      ctx.lineTo(x, box.bottom);
      ctx.stroke();
      ctx.setLineDash([]);
      // Said once, in the first figure, where there is room.
      if (plot !== plots[0] || x < free || x > box.right) continue;
      ctx.textAlign = "left";
      ctx.fillStyle = theme.accent;
      const text = fit(ctx, mark.says, Math.max(40, Math.min(180, box.right - x - 8)));
      ctx.fillText(text, x + 5, box.top + 7);
      free = x + ctx.measureText(text).width + 14;
    }
  });
  [plot.element.dataset.from, plot.element.dataset.to] = [view.from, view.to];
}

// The axis at the top, and below it the whole range with the part in view.
const axis = document.getElementById("axis");
function drawAxis() {
  const height = 54;
  const ctx = prepare(axis, layout.width, height);
  ctx.textAlign = "center";
  let free = -Infinity;
  for (const [t, label, strong] of view.ticks) {
    const x = xOf(t - start);
    const wide = ctx.measureText(label).width;
    ctx.fillStyle = theme.rule;
    ctx.fillRect(Math.round(x), 18, 1, 6);
    if (x - wide / 2 < free || x + wide / 2 > layout.width) continue;
    ctx.fillStyle = strong ? theme.ink : theme.muted;
    ctx.fillText(label, Math.max(wide / 2, x), 9);
    free = x + wide / 2 + 10;
  }
  ctx.fillStyle = theme.rule;
  ctx.fillRect(layout.left, 24, layout.right - layout.left, 1);
  const whole = (t) => layout.left + (t / lasts) * (layout.right - layout.left);
  ctx.fillRect(layout.left, 38, layout.right - layout.left, 4);
  ctx.fillStyle = theme.accent;
  const x = whole(view.from);
  ctx.fillRect(x, 36, Math.max(3, whole(view.to) - x), 8);
  for (const mark of data.marks) ctx.fillRect(whole(mark.at) - 0.5, 32, 1.5, 16);
}

function look(from, to) {
  const wide = Math.min(lasts, Math.max(closest, to - from));
  const first = Math.max(0, Math.min(lasts - wide, from));
  [view.from, view.to] = [first, first + wide];
  document.getElementById("whole").disabled = wide >= lasts;
  redraw();
}

function zoom(factor, around) {
  const at = around ?? view.cursor ?? (view.from + view.to) / 2;
  look(at - (at - view.from) * factor, at + (view.to - at) * factor);
}

const pan = (by) => look(view.from + by, view.to + by);
const reset = () => look(0, lasts);

// The cursor in all figures, and what each says of that moment.
let hovered = null;
function point(t, plot, y) {
  view.cursor = t === null ? null : Math.max(0, Math.min(lasts, t));
  hovered = plot ? { plot, y } : null;
  placeCursor();
}

function placeCursor() {
  const t = view.cursor;
  const seen = t !== null && t >= view.from && t <= view.to;
  const readout = document.getElementById("readout");
  const shown = Math.round(t * 1000) / 1000;
  readout.textContent = seen
    ? `${moment(start + (lasts > 3600 ? Math.round(shown) : shown))} ${utcOffset(start + t)}`
    : `${day(start + view.from, true)} ${clock(start + view.from)} to ${day(start + view.to, true)} ${clock(start + view.to)}`;
  const mark = data.marks.find((one) => t !== null && Math.abs(xOf(one.at) - xOf(t)) < 5);
  if (seen && mark) readout.textContent += ` · ${mark.says}`;
  for (const plot of plots) {
    plot.line.hidden = !seen;
    if (seen) plot.line.style.transform = `translateX(${xOf(t)}px)`;
    const y = hovered && hovered.plot === plot ? hovered.y : null;
    plot.says.textContent = seen ? figures[plot.kind].says(plot.figure, t, y, plot.scroll.scrollTop) : "";
  }
}
