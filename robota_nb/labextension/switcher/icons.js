// The icons of buttons, drawn here: fonts lack some of them.

const SVG = 'http://www.w3.org/2000/svg';

/** Each on a field of 16 by 16. */
const SHAPES = {
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  list: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  add: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  done: 'M3 8.5l3.5 3.5L13 4.5',
  edit: 'M3 13l.6-3L10.5 3.1a1 1 0 0 1 1.4 0l1 1a1 1 0 0 1 0 1.4L6 12.4z',
  retry: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3',
  fork: 'M4 2.5v11M4 8.5c5 0 8-1 8-4.5M10 5.5L12 3.5l2 2',
  cell: 'M2.5 3.5h11v9h-11zM5.5 3.5v9M8 6.5h3M8 9.5h3',
  insert: 'M3 2.5h10v4H3zM8 9v5M5.5 11.5h5',
  why: 'M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.8-1.1 1.6M8 12.5h.01',
  replace: 'M3 5.5h9.5M10 3l2.5 2.5L10 8M13 10.5H3.5M6 8l-2.5 2.5L6 13',
  back: 'M10 3.5L5.5 8l4.5 4.5',
  forward: 'M6 3.5L10.5 8 6 12.5'
};

/**
 * Return an icon.
 *
 * @param {keyof typeof SHAPES} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'robota-sign');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', SHAPES[name]);
  svg.append(path);
  return svg;
}
