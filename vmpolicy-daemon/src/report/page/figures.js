// One object a kind of figure: how high it is, how it is drawn, and what it says of a moment.
const figures = {};

// Far more samples than pixels: each column's range, and the mean of its samples as a line.
function drawCrowd(ctx, box, points, y, colour, first) {
  const { at, low, high } = points;
  const top = high.length ? high : low;
  const columns = new Map();
  for (let i = first; i < at.length && at[i] <= view.to; i++) {
    if (low[i] === null) continue;
    const x = Math.max(box.left, Math.round(xOf(at[i])));
    const column = columns.get(x);
    const middle = (low[i] + top[i]) / 2;
    if (!column) columns.set(x, [low[i], top[i], middle, 1]);
    else {
      column[0] = Math.min(column[0], low[i]);
      column[1] = Math.max(column[1], top[i]);
      column[2] += middle;
      column[3]++;
    }
  }
  ctx.fillStyle = ctx.strokeStyle = colour;
  ctx.globalAlpha = 0.3;
  for (const [x, [least, greatest]] of columns) ctx.fillRect(x, y(greatest), 1, Math.max(1, y(least) - y(greatest)));
  ctx.globalAlpha = 1;
  ctx.beginPath();
  let before = -Infinity;
  for (const [x, [, , sum, count]] of columns) {
    if (x - before > 2) ctx.moveTo(x, y(sum / count));
    else ctx.lineTo(x, y(sum / count));
    before = x;
  }
  ctx.stroke();
}

// A line of samples as steps, each pixel's least and greatest kept; returns nothing where nothing is in view.
function drawPoints(ctx, box, points, y, colour) {
  const { at, low, high } = points;
  const top = high.length ? high : low;
  const first = Math.max(0, after(at, view.from) - 1);
  ctx.strokeStyle = colour;
  // Where many samples share a pixel, a thin line keeps them apart.
  const crowd = (after(at, view.to) - first) / (box.right - box.left);
  ctx.lineWidth = crowd > 1 ? 1 : 1.4;
  if (crowd > 8) return drawCrowd(ctx, box, points, y, colour, first);
  ctx.lineJoin = "round";
  ctx.beginPath();
  let column = null;
  let pen = null;
  const flush = () => {
    if (!column) return;
    const [x, least, greatest, from, last] = column;
    if (pen === null) ctx.moveTo(x, y(from));
    else {
      ctx.lineTo(x, y(pen));
      ctx.lineTo(x, y(from));
    }
    if (greatest > least) {
      ctx.lineTo(x, y(greatest));
      ctx.lineTo(x, y(least));
      ctx.lineTo(x, y(last));
    }
    pen = last;
    column = null;
  };
  for (let i = first; i < at.length; i++) {
    const x = Math.max(box.left - 2, Math.round(xOf(at[i]) * 2) / 2);
    const [least, greatest] = [low[i], top[i]];
    if (least === null) {
      flush();
      if (pen !== null) ctx.lineTo(x, y(pen));
      pen = null;
    } else if (column && column[0] === x) {
      column[1] = Math.min(column[1], least);
      column[2] = Math.max(column[2], greatest);
      column[4] = greatest;
    } else {
      flush();
      column = [x, least, greatest, least, greatest];
    }
    if (at[i] > view.to) break;
  }
  flush();
  if (pen !== null) ctx.lineTo(xOf(Math.min(view.to, at[at.length - 1])), y(pen));
  ctx.stroke();
}

// The least and the greatest of what is in view.
function extent(points) {
  const top = points.high.length ? points.high : points.low;
  let [least, greatest] = [Infinity, -Infinity];
  for (let i = Math.max(0, after(points.at, view.from) - 1); i < points.at.length && points.at[i] <= view.to; i++) {
    if (points.low[i] === null) continue;
    least = Math.min(least, points.low[i]);
    greatest = Math.max(greatest, top[i]);
  }
  return [least, greatest];
}

function pointAt(points, t) {
  const index = after(points.at, t) - 1;
  if (index < 0 || points.low[index] === null) return null;
  const high = points.high.length ? points.high[index] : points.low[index];
  return [points.low[index], high, index];
}

const between = (low, high) => (low === high ? num(low) : `${num(low)} to ${num(high)}`);

function bandPoints(band) {
  const at = band.low.map((_, index) => index * band.bucket_s);
  return { bucket_s: band.bucket_s, at, low: band.low, high: band.high, mean: band.mean };
}

// The line of the guest that is looked at, or none for all of them.
const lineOf = (figure) => figure.lines.find((line) => line.guest === view.guest) || (figure.band ? null : figure.lines[0]);

figures.indicator = {
  height: (width) => (width < 600 ? 190 : 230),
  // Variants of one page share a scale, so that they can be compared.
  scale(group) {
    let [low, high] = [0, -Infinity];
    for (const { figure } of group) {
      const line = lineOf(figure);
      if (!line && figure.band) figure.band.points ??= bandPoints(figure.band);
      const [least, greatest] = extent(line ? line.points : figure.band.points);
      low = Math.min(low, least);
      high = Math.max(high, greatest);
    }
    if (high === -Infinity) high = 1;
    for (const { figure } of group) {
      for (const { value } of figure.thresholds) {
        if (value <= high * 3 || high <= 0) high = Math.max(high, value * 1.15);
        low = Math.min(low, value);
      }
    }
    return [low, high > low ? high + (high - low) * 0.05 : low + 1];
  },
  draw(ctx, box, figure, [low, high]) {
    const strip = 14;
    const plot = { ...box, bottom: box.bottom - strip };
    const y = (v) => plot.bottom - ((v - low) / (high - low)) * (plot.bottom - plot.top);
    grid(ctx, plot, y, niceTicks(low, high, 4), "");
    const line = lineOf(figure);
    clipped(ctx, box, () => {
      timeGrid(ctx, box);
      if (line) this.guest(ctx, plot, box, line, y);
      else this.band(ctx, plot, figure.band, y);
    });
    this.thresholds(ctx, plot, figure, y, low, high);
    const moves = movesOf(figure.variant, line ? line.guest : null);
    clipped(ctx, box, () => {
      ctx.fillStyle = theme.accent;
      let lastX = -9;
      for (const t of moves) {
        const x = xOf(t);
        if (x - lastX < 1 || t < view.from || t > view.to) continue;
        lastX = x;
        ctx.fillRect(x - 0.75, plot.bottom + 4, 1.5, strip - 5);
      }
    });
  },
  guest(ctx, plot, box, line, y) {
    ctx.fillStyle = theme.shade;
    for (const [from, to] of line.breach) {
      if (to < view.from || from > view.to) continue;
      // A breach is never thinner than a pixel.
      const x = xOf(from);
      ctx.fillRect(x, plot.top, Math.max(1, xOf(to) - x), plot.bottom - plot.top);
    }
    drawPoints(ctx, box, line.points, y, theme.ink);
  },
  band(ctx, plot, band, y) {
    const points = band.points;
    const most = Math.max(1, data.guests.length);
    const width = xOf(band.bucket_s) - xOf(0);
    for (let i = 0; i < points.at.length; i++) {
      const x = xOf(points.at[i]);
      if (x + width < plot.left || x > plot.right) continue;
      if (band.in_breach[i] > 0) {
        ctx.globalAlpha = 0.25 + (0.75 * band.in_breach[i]) / most;
        ctx.fillStyle = theme.shade;
        ctx.fillRect(x, plot.top, Math.max(1, width), plot.bottom - plot.top);
      }
      if (points.low[i] !== null) {
        ctx.globalAlpha = 0.22;
        ctx.fillStyle = theme.ink;
        ctx.fillRect(x, y(points.high[i]), Math.max(1, width + 0.3), Math.max(1, y(points.low[i]) - y(points.high[i])));
      }
    }
    ctx.globalAlpha = 1;
    drawPoints(ctx, plot, { at: points.at, low: points.mean, high: [] }, y, theme.ink);
  },
  thresholds(ctx, plot, figure, y, low, high) {
    const placed = [];
    // The lowest first, so that labels which go up stand in the order of their lines.
    const ordered = [...figure.thresholds].sort((a, b) => a.value - b.value);
    for (const { rule, sign, value, breach } of ordered) {
      if (value < low || value > high) continue;
      const at = Math.round(y(value)) + 0.5;
      ctx.strokeStyle = ctx.fillStyle = breach ? theme.bad : theme.muted;
      ctx.setLineDash([5, 4]);
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(plot.left, at);
      ctx.lineTo(plot.right, at);
      ctx.stroke();
      ctx.setLineDash([]);
      // Two labels at one place: the second one goes up.
      let labelAt = at;
      while (placed.some((other) => Math.abs(other - labelAt) < 13)) labelAt -= 13;
      placed.push(labelAt);
      const text = `${rule} ${sign} ${num(value)}`;
      if (plot.gutter > 60) {
        ctx.textAlign = "left";
        ctx.fillText(fit(ctx, text, plot.gutter - 8), plot.right + 8, labelAt);
      } else {
        ctx.textAlign = "right";
        const wide = ctx.measureText(text).width;
        const ink = ctx.fillStyle;
        ctx.fillStyle = theme.ground;
        ctx.globalAlpha = 0.8;
        ctx.fillRect(plot.right - wide - 6, labelAt - 15, wide + 6, 14);
        ctx.globalAlpha = 1;
        ctx.fillStyle = ink;
        ctx.fillText(text, plot.right - 3, labelAt - 8);
      }
    }
  },
  says(figure, t) {
    const line = lineOf(figure);
    const unit = figure.unit ? ` ${figure.unit}` : "";
    if (line) {
      const found = pointAt(line.points, t);
      const breach = line.breach.some(([from, to]) => from <= t && t < to);
      const value = found ? between(found[0], found[1]) + unit : "nothing known";
      return value + (breach ? ", in breach" : "");
    }
    const found = pointAt(figure.band.points, t);
    if (!found) return "nothing known";
    const index = found[2];
    return `${between(found[0], found[1])}${unit}, mean ${num(figure.band.mean[index])}; ` +
      `${figure.band.in_breach[index]} of ${data.guests.length} in breach`;
  },
};

// When a guest (or any) of a variant moved: where its lane changes hosts.
const movesCache = new Map();
function movesOf(variant, guest) {
  const key = `${variant}/${guest}`;
  if (!movesCache.has(key)) {
    const panel = data.variants[variant].panels.find((one) => one.lanes);
    const found = [];
    for (const lane of panel ? panel.lanes.lanes : []) {
      if (guest !== null && lane.guest !== guest) continue;
      for (let i = 1; i < lane.stays.length; i++) {
        if (lane.stays[i][2] !== lane.stays[i - 1][2] || lane.stays[i][3] === "several") found.push(lane.stays[i][0]);
      }
    }
    movesCache.set(key, found.sort((one, other) => one - other));
  }
  return movesCache.get(key);
}

// A text cut to a width.
function fit(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && ctx.measureText(text.slice(0, end) + "…").width > width) end--;
  return text.slice(0, end) + "…";
}

// Names of guests without what all of them begin and end with, up to a sign that parts words.
const shortNames = (() => {
  const names = data.guests;
  if (names.length < 2) return names;
  const first = names[0];
  const cuts = [...first].map((sign, at) => ("/.:_- ".includes(sign) ? at : -1)).filter((at) => at >= 0);
  const before = Math.max(0, ...cuts.map((at) => at + 1)
    .filter((at) => names.every((name) => name.length > at && name.startsWith(first.slice(0, at)))));
  const after = Math.max(0, ...cuts.map((at) => first.length - at)
    .filter((length) => names.every((name) => name.length > before + length && name.endsWith(first.slice(-length)))));
  return names.map((name) => name.slice(before, name.length - after));
})();

// A text cut at its beginning: names of guests differ at their ends.
function fitEnd(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  let first = 1;
  while (first < text.length - 1 && ctx.measureText("…" + text.slice(first)).width > width) first++;
  return "…" + text.slice(first);
}

const shades = [1, 0.5, 0.28, 0.7, 0.4];

figures.bars = {
  height: (width) => (width < 600 ? 120 : 140),
  scale(group) {
    let high = 1;
    for (const { figure } of group) {
      for (let i = 0; i < (figure.counts[0] || []).length; i++) {
        const at = figure.first + i * figure.width_s;
        if (at + figure.width_s < view.from || at > view.to) continue;
        high = Math.max(high, figure.counts.reduce((sum, row) => sum + row[i], 0));
      }
    }
    return [0, high * 1.08];
  },
  draw(ctx, box, figure, [low, high]) {
    const y = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
    grid(ctx, box, y, niceTicks(low, high, 3, true), "");
    clipped(ctx, box, () => {
      timeGrid(ctx, box);
      const wide = xOf(figure.width_s) - xOf(0);
      const gap = wide > 8 ? 2 : wide > 4 ? 1 : 0;
      const bars = (figure.counts[0] || []).length;
      const columns = new Map();
      for (let i = 0; i < bars; i++) {
        const x = xOf(figure.first + i * figure.width_s);
        if (x + wide < box.left || x > box.right) continue;
        const counts = figure.counts.map((row) => row[i]);
        const sum = counts.reduce((one, other) => one + other, 0);
        // Where several bars share a pixel, the highest is drawn.
        const key = wide >= 1 ? i : Math.round(x);
        if (sum > 0 && !(columns.has(key) && columns.get(key).sum >= sum)) columns.set(key, { x, sum, counts });
      }
      for (const { x, counts } of columns.values()) {
        let below = 0;
        counts.forEach((count, row) => {
          if (count === 0) return;
          ctx.globalAlpha = shades[row % shades.length];
          ctx.fillStyle = theme.accent;
          ctx.fillRect(x + gap / 2, y(below + count), Math.max(1, wide - gap), y(below) - y(below + count));
          below += count;
        });
      }
      ctx.globalAlpha = 1;
    });
  },
  says(figure, t) {
    const index = Math.floor((t - figure.first) / figure.width_s);
    const counts = figure.counts.map((row) => row[index] || 0);
    const sum = counts.reduce((one, other) => one + other, 0);
    const by = figure.names.map((name, row) => [name, counts[row]]).filter(([, count]) => count > 0);
    const parts = by.map(([name, count]) => `${name} ${count}`).join(", ");
    const from = start + figure.first + index * figure.width_s;
    const when = figure.width_s < 86400 ? `from ${clock(from)}` : day(from);
    return `${num(sum)} ${when}${parts && by.length ? `: ${parts}` : ""}`;
  },
};
