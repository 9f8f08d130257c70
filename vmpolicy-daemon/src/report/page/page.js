// Puts the page together: a canvas in place of each drawing, the choice of a guest, light and dark.

function setUp(element) {
  const variant = Number(element.dataset.variant);
  const panel = data.variants[variant].panels.find((one) => one.id === element.dataset.panel);
  const kind = Object.keys(figures).find((one) => panel[one]);
  const figure = panel[kind];
  figure.variant = variant;
  const make = (name, parent, type) => {
    const made = document.createElement(type || "div");
    made.className = name;
    parent.append(made);
    return made;
  };
  const scroll = make("plot", element);
  const sticky = make("sticky", scroll);
  const canvas = make("", sticky, "canvas");
  const line = make("line", sticky);
  const selection = make("selection", sticky);
  const spacer = make("", scroll);
  line.hidden = selection.hidden = true;
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "img");
  scroll.setAttribute("aria-label", `${panel.title}, ${data.variants[variant].name}. ${panel.about} ` +
    "Arrow keys move the cursor, plus and minus zoom, 0 shows all.");
  const says = element.querySelector("output");
  const plot = { id: panel.id, kind, figure, element, scroll, canvas, line, selection, spacer, says };
  plots.push(plot);
  listen(scroll, plot);
  // Only the figure that has the focus is read out.
  says.setAttribute("aria-live", "off");
  scroll.addEventListener("focus", () => says.setAttribute("aria-live", "polite"));
  scroll.addEventListener("blur", () => says.setAttribute("aria-live", "off"));
  scroll.addEventListener("scroll", redraw);
  if (kind === "lanes") {
    scroll.addEventListener("click", (event) => {
      const y = event.clientY - scroll.getBoundingClientRect().top + scroll.scrollTop;
      const lane = figure.lanes[Math.floor(y / figures.lanes.lane(figure))];
      if (event.clientX - scroll.getBoundingClientRect().left < layout.left && lane) choose(lane.guest);
    });
  }
}

// Guests whose indicator is here.
const choices = new Set();
const guestBox = document.getElementById("guest");

function choose(guest) {
  if (guest !== null && !choices.has(guest)) return;
  view.guest = guest;
  if (guestBox) guestBox.value = guest === null ? "" : String(guest);
  redraw();
}

function setUpGuests() {
  for (const { kind, figure } of plots) {
    if (kind === "indicator") figure.lines.forEach((line) => choices.add(line.guest));
  }
  if (data.guests.length < 2 || !guestBox || choices.size === 0) return;
  const longest = new Map();
  for (const { kind, figure } of plots) {
    if (kind !== "indicator") continue;
    for (const line of figure.lines) longest.set(line.guest, Math.max(longest.get(line.guest) || 0, line.breach_s));
  }
  const all = new Option(`all ${data.guests.length} guests`, "");
  const each = [...choices].sort((one, other) => one - other).map((guest) => {
    const breach = longest.get(guest);
    return new Option(data.guests[guest] + (breach > 0 ? ` (in breach ${span(breach)})` : ""), String(guest));
  });
  guestBox.replaceChildren(all, ...each);
  guestBox.closest("label").hidden = false;
  guestBox.addEventListener("change", () => choose(guestBox.value === "" ? null : Number(guestBox.value)));
}

function setUpTheme() {
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const now = () => document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
  const show = () => {
    button.textContent = now() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${now() === "dark" ? "light" : "dark"} colours`);
    readTheme();
    redraw();
  };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = now() === "dark" ? "light" : "dark";
    show();
  });
  dark.addEventListener("change", show);
  show();
}

document.documentElement.classList.add("js");
document.querySelectorAll("figure[data-panel]").forEach(setUp);
listen(axis, null);
document.getElementById("whole").addEventListener("click", reset);
setUpGuests();
setUpTheme();
new ResizeObserver(redraw).observe(document.getElementById("figures"));
look(0, lasts);
document.documentElement.dataset.ready = "yes";
