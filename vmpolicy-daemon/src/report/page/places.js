// Guests and hosts over time: the stack, the lanes, and any other quantity.

figures.stack = {
  height: (width) => (data.guests.length === 1 ? 80 : width < 600 ? 150 : 190),
  scale(group) {
    let high = 1;
    for (const { figure } of group) {
      for (let i = 0; i < figure.at.length; i++) high = Math.max(high, figure.counts.reduce((sum, row) => sum + row[i], 0));
    }
    return [0, high];
  },
  colour: (figure, row) => (row < figure.hosts.length ? hostColour(figure.hosts[row]) : theme.muted),
  name: (figure, row) => (row < figure.hosts.length ? hostName(figure.hosts[row]) : `${figure.others} others`),
  draw(ctx, box, figure, [low, high]) {
    const y = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
    grid(ctx, box, y, niceTicks(low, high, high > 1 ? 3 : 1, true), "");
    clipped(ctx, box, () => {
      timeGrid(ctx, box);
      const first = Math.max(0, after(figure.at, view.from) - 1);
      const last = figure.at.length - 1;
      const widest = figure.counts.map(() => [0, 0, 0]);
      const steps = [];
      for (let i = first; i <= last && figure.at[i] <= view.to; i++) {
        const end = i < last ? figure.at[i + 1] : lasts;
        steps.push([Math.max(box.left, xOf(figure.at[i])), Math.min(box.right, xOf(end)), i]);
      }
      figure.counts.forEach((row, index) => {
        const below = (i) => figure.counts.slice(0, index).reduce((sum, one) => sum + one[i], 0);
        ctx.fillStyle = this.colour(figure, index);
        let run = null;
        for (const [x, end, i] of steps) {
          const count = row[i];
          const base = below(i);
          // Whole pixels, so that no seam shows the ground.
          const left = Math.floor(x);
          if (count > 0) ctx.fillRect(left, y(base + count), Math.max(1, Math.ceil(end) - left), y(base) - y(base + count));
          // Where a host has room for its name, it is said there.
          run = count > 0 && run && Math.abs(run[2] - base) < 0.01 && Math.abs(run[3] - count) < 0.01
            ? [run[0], end, base, count] : [x, end, base, count];
          const tall = y(base) - y(base + count);
          if (tall > 14 && run[1] - run[0] > widest[index][1] - widest[index][0]) widest[index] = [run[0], run[1], (y(base) + y(base + count)) / 2];
        }
      });
      ctx.textAlign = "center";
      widest.forEach(([x, end, middle], index) => {
        const text = this.name(figure, index);
        if (ctx.measureText(text).width + 10 > end - x) return;
        const colour = this.colour(figure, index);
        ctx.fillStyle = colour.startsWith("#") && colour.length === 7 ? inkOn(colour) : theme.ink;
        ctx.fillText(text, (x + end) / 2, middle);
      });
    });
  },
  says(figure, t) {
    const index = Math.max(0, after(figure.at, t) - 1);
    const there = figure.counts.map((row, at) => [row[index] || 0, this.name(figure, at)]).filter(([count]) => count > 0);
    there.sort((one, other) => other[0] - one[0]);
    const shown = there.slice(0, 6).map(([count, name]) => `${name} ${num(count)}`).join(", ");
    return shown + (there.length > 6 ? ` and ${there.length - 6} more hosts` : "");
  },
};

const stateWords = { runs: "", rests: ", resting", moves: ", moving away", off: ", switched off" };

figures.lanes = {
  lane: (figure) => {
    const count = figure.lanes.length;
    return count === 1 ? 34 : count <= 8 ? 26 : count <= 30 ? 18 : count <= 200 ? 13 : 7;
  },
  height(width, figure) {
    return Math.min(440, Math.max(34, figure.lanes.length * this.lane(figure)));
  },
  full(figure) {
    return figure.lanes.length * this.lane(figure);
  },
  scale: () => [0, 1],
  // Only what is scrolled into view is drawn.
  draw(ctx, box, figure, _, scrolled) {
    const tall = this.lane(figure);
    const gap = tall > 20 ? 6 : tall > 10 ? 3 : 1;
    const first = Math.floor(scrolled / tall);
    const last = Math.min(figure.lanes.length - 1, Math.ceil((scrolled + box.bottom) / tall));
    for (let i = first; i <= last; i++) {
      const lane = figure.lanes[i];
      const top = box.top + i * tall - scrolled + gap / 2;
      if (tall >= 13 && data.guests.length > 1) {
        ctx.textAlign = "right";
        ctx.fillStyle = lane.guest === view.guest ? theme.accent : theme.muted;
        ctx.fillText(fitEnd(ctx, shortNames[lane.guest], box.left - 12), box.left - 8, top + (tall - gap) / 2);
      }
      clipped(ctx, box, () => this.stays(ctx, box, lane.stays, top, tall - gap));
    }
    clipped(ctx, box, () => timeGrid(ctx, box));
  },
  stays(ctx, box, stays, top, tall) {
    const named = tall > 12;
    ctx.textAlign = "left";
    for (const [from, to, host, state] of stays) {
      if (to < view.from || from > view.to) continue;
      const x = Math.max(box.left, xOf(from));
      const wide = Math.max(0.8, Math.min(box.right, xOf(to)) - x);
      const several = state === "several";
      const colour = several ? theme.rule : hostColour(host);
      ctx.fillStyle = colour;
      ctx.fillRect(x, top, wide, tall);
      const isBase = host !== null && data.hosts[host].base;
      if (state === "rests" && tall < 9) {
        // Too thin for a pattern: a resting guest lies flat.
        ctx.fillStyle = theme.ground;
        ctx.fillRect(x, top, wide, tall * 0.66);
      } else if (state === "rests") {
        ctx.fillStyle = stripes(ctx, theme.hatch, false);
        ctx.fillRect(x, top, wide, tall);
      } else if (state === "moves" || several) {
        ctx.fillStyle = stripes(ctx, several ? theme.muted : theme.ink, true);
        ctx.fillRect(x, top, wide, tall);
      } else if (state === "off") {
        // Hardly anything is left of the host's colour.
        ctx.fillStyle = theme.ground;
        ctx.globalAlpha = 0.8;
        ctx.fillRect(x, top, wide, tall);
        ctx.globalAlpha = 1;
      } else if (isBase) {
        // The base is flat: lower than a host of the ring, so that it is told apart without colour.
        ctx.fillStyle = theme.ground;
        ctx.globalAlpha = 0.55;
        ctx.fillRect(x, top, wide, tall * 0.32);
        ctx.globalAlpha = 1;
      }
      if (!named || several || state === "moves" || state === "off" || wide < 30 || (state === "rests" && tall < 18)) continue;
      const text = state === "rests" ? `${hostName(host)}, resting` : hostName(host);
      const width = ctx.measureText(text).width;
      if (width + 12 > wide) continue;
      if (state === "rests") {
        ctx.fillStyle = colour;
        ctx.fillRect(x + 3, top + 1, width + 8, tall - 2);
      }
      ctx.fillStyle = colour.length === 7 ? inkOn(colour) : theme.ink;
      ctx.fillText(text, x + 7, top + tall / 2 + (isBase && state !== "rests" ? tall * 0.12 : 0.5));
    }
  },
  says(figure, t, y, scrolled) {
    const index = y === null ? 0 : Math.floor((y + scrolled) / this.lane(figure));
    const lane = figure.lanes[Math.max(0, Math.min(figure.lanes.length - 1, index))];
    if (!lane) return "";
    const several = figure.lanes.length > 1 ? `${data.guests[lane.guest]}: ` : "";
    const stay = lane.stays.find(([from, to]) => from <= t && t < to) || lane.stays[lane.stays.length - 1];
    if (!stay || t < stay[0]) return `${several}nowhere yet`;
    const [from, to, host, state] = stay;
    const when = `${clock(start + from)} to ${clock(start + to)}`;
    if (state === "several") return `${several}several hosts, each for less than ${span(lane.shortest_s)}`;
    return `${several}${hostName(host)}${stateWords[state]}, ${when} (${span(to - from)})`;
  },
};

figures.meter = {
  height: (width) => (width < 600 ? 120 : 140),
  scale(group) {
    let [low, high] = [0, -Infinity];
    for (const { figure } of group) {
      for (const [, points] of figure.lines) {
        const [least, greatest] = extent(points);
        low = Math.min(low, least);
        high = Math.max(high, greatest);
      }
    }
    return [low, high > low ? high * 1.05 : low + 1];
  },
  draw(ctx, box, figure, [low, high]) {
    const y = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
    const times = figure.unit === "share" ? 100 : 1;
    const values = niceTicks(low * times, high * times, 3).map((v) => v / times);
    ctx.textAlign = "right";
    grid(ctx, box, (v) => y(v / times), values.map((v) => v * times), figure.unit === "share" ? "%" : "");
    clipped(ctx, box, () => {
      timeGrid(ctx, box);
      figure.lines.forEach(([, points], row) => {
        drawPoints(ctx, box, points, y, figure.lines.length === 1 ? theme.accent : palette[row % palette.length]);
      });
    });
  },
  says(figure, t) {
    const words = { share: (v) => `${num(v * 100)} %`, seconds: span, "kilowatt-hours": (v) => `${num(v)} kWh` };
    const said = figure.lines.map(([name, points]) => {
      const found = pointAt(points, t);
      return `${figure.lines.length > 1 ? name + " " : ""}${found ? (words[figure.unit] || num)(found[1]) : "–"}`;
    });
    return said.join(", ");
  },
};
