// Mouse, touch and keys: the same in every figure and on the axis.

function listen(element, plot) {
  const touches = new Map();
  let drag = null;
  const xy = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const selection = plot ? plot.selection : null;

  element.addEventListener("pointerdown", (event) => {
    const [x] = xy(event);
    if (event.pointerType === "touch") touches.set(event.pointerId, x);
    if (event.button !== 0) return;
    drag = { x, from: view.from, to: view.to, pans: !plot || event.shiftKey || event.pointerType === "touch", moved: false };
    if (touches.size === 2) drag.pinch = Math.abs([...touches.values()].reduce((one, other) => one - other)) || 1;
    if (event.pointerType !== "touch") element.setPointerCapture(event.pointerId);
  });

  element.addEventListener("pointermove", (event) => {
    const [x, y] = xy(event);
    if (touches.has(event.pointerId)) touches.set(event.pointerId, x);
    if (drag && Math.abs(x - drag.x) > 4) drag.moved = true;
    if (drag && drag.pinch && touches.size === 2) {
      const [one, other] = [...touches.values()];
      const factor = drag.pinch / Math.max(8, Math.abs(one - other));
      const share = ((one + other) / 2 - layout.left) / (layout.right - layout.left);
      const middle = drag.from + share * (drag.to - drag.from);
      look(middle - (middle - drag.from) * factor, middle + (drag.to - middle) * factor);
    } else if (drag && drag.moved && drag.pans) {
      const scale = plot ? (drag.to - drag.from) / (layout.right - layout.left) : -lasts / (layout.right - layout.left);
      const by = (drag.x - x) * scale;
      look(drag.from + by, drag.to + by);
    } else if (drag && drag.moved) {
      const [left, right] = [Math.min(drag.x, x), Math.max(drag.x, x)].map((one) => Math.max(layout.left, Math.min(layout.right, one)));
      selection.hidden = false;
      selection.style.transform = `translateX(${left}px)`;
      selection.style.width = `${right - left}px`;
    }
    if (!drag || event.pointerType !== "touch") {
      point(x < layout.left - 4 || x > layout.right + 4 ? null : tOf(x), plot, y);
    }
  });

  const end = (event) => {
    const [x, y] = xy(event);
    touches.delete(event.pointerId);
    if (drag && !drag.moved && event.pointerType === "touch") point(tOf(x), plot, y);
    if (drag && drag.moved && !drag.pans && event.type === "pointerup") {
      const [one, other] = [tOf(drag.x), tOf(x)];
      look(Math.max(view.from, Math.min(one, other)), Math.min(view.to, Math.max(one, other)));
    }
    if (selection) selection.hidden = true;
    if (touches.size === 0) drag = null;
  };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", end);
  element.addEventListener("pointerleave", (event) => {
    if (!drag && event.pointerType !== "touch") point(null);
  });
  element.addEventListener("dblclick", reset);

  // The page scrolls as ever; with Ctrl (or by pinching a touchpad), and on the axis, the wheel zooms.
  element.addEventListener("wheel", (event) => {
    const [x] = xy(event);
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways) pan(((event.deltaX || event.deltaY) / (layout.right - layout.left)) * (view.to - view.from));
    else if (event.ctrlKey || event.metaKey || event.altKey || !plot) zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 150), tOf(x));
    else return;
    event.preventDefault();
  }, { passive: false });

  element.addEventListener("keydown", (event) => {
    const wide = view.to - view.from;
    const step = (by) => {
      const t = (view.cursor ?? view.from + wide / 2) + (by * wide) / 100;
      if (t < view.from || t > view.to) pan((by * wide) / 10);
      point(Math.max(0, Math.min(lasts, t)), plot, null);
    };
    const keys = {
      ArrowLeft: () => (event.shiftKey ? pan(-wide / 4) : step(-1)),
      ArrowRight: () => (event.shiftKey ? pan(wide / 4) : step(1)),
      "+": () => zoom(0.5),
      "=": () => zoom(0.5),
      "-": () => zoom(2),
      0: reset,
      Home: () => look(0, wide),
      End: () => look(lasts - wide, lasts),
      Escape: () => point(null),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    keys[event.key]();
    event.preventDefault();
  });
}
