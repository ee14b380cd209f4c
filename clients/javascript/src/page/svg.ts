/** Shapes of the drawing. */

/** A shape with its attributes. */
export function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** A text; a long one is cut after `most` letters, and whole where the pointer rests. */
export function text(content: string, attributes: Record<string, string | number>, most = Infinity): SVGElement {
  const made = shape("text", attributes);
  const letters = [...content];
  made.textContent = letters.length <= most ? content : `${letters.slice(0, most - 1).join("")}…`;
  if (letters.length > most) {
    const whole = shape("title", {});
    whole.textContent = content;
    made.append(whole);
  }
  return made;
}

/** The size of the drawing in pixels; its coordinates are made to be the same. height: if not the style sheet's. */
export function size(svg: SVGSVGElement, tall?: number): { width: number; height: number } {
  const figure = svg.closest("figure");
  const hidden = figure?.hidden ?? false;
  if (figure) figure.hidden = false; // what is hidden has no size
  svg.style.height = tall === undefined ? "" : `${tall}px`;
  const box = svg.getBoundingClientRect();
  if (figure) figure.hidden = hidden;
  // A window that is being closed may be almost zero pixels wide.
  const [width, height] = [Math.max(200, box.width), Math.max(150, box.height)];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { width, height };
}
