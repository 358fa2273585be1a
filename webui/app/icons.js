/** Icons in the colour of the text beside them; none stands without a text. */

/** @type {Record<string, string>} */
const PATHS = {
  overview: 'M4 4h7v7H4zM13 4h7v4h-7zM13 10h7v10h-7zM4 13h7v7H4z',
  printers: 'M7 8V4h10v4M7 17H4v-7h16v7h-3M7 14h10v6H7z',
  discovery: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5',
  transmission: 'M4 12l16-8-5 16-4-6zM20 4l-9 10',
  traps: 'M12 4a5 5 0 0 0-5 5c0 6-3 7-3 7h16s-3-1-3-7a5 5 0 0 0-5-5zM10 20h4',
  services: 'M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01',
  network: 'M9 3h6v5H9zM3 16h6v5H3zM15 16h6v5h-6zM12 8v4M6 16v-4h12v4',
  updates: 'M12 3v11M7 9l5 5 5-5M4 17v4h16v-4',
  system: 'M5 7h9M18 7h1M5 12h2M11 12h8M5 17h7M16 17h3M16 5v4M9 10v4M14 15v4',
  ok: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12l3 3 5-6',
  warning: 'M12 4L2.5 20h19zM12 10v4M12 17v.01',
  error: 'M8 3h8l5 5v8l-5 5H8l-5-5V8zM9 9l6 6M15 9l-6 6',
  silent: 'M20 14A8.5 8.5 0 1 1 10 4a7 7 0 0 0 10 10z',
  ignored: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM6 6l12 12',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5M12 8v.01',
  off: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12h8',
  running: 'M20 12a8 8 0 1 1-3-6M20 3v5h-5',
  unknown: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 17v.01',
  menu: 'M4 7h16M4 12h16M4 17h16',
  out: 'M14 4h5v16h-5M4 12h11M11 8l4 4-4 4',
};

/**
 * Return an icon; the question mark for an unknown name.
 * @param {string} name
 */
export function icon(name) {
  const namespace = 'http://www.w3.org/2000/svg';
  const image = document.createElementNS(namespace, 'svg');
  image.setAttribute('viewBox', '0 0 24 24');
  image.setAttribute('class', 'icon');
  image.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', PATHS[name] ?? PATHS.unknown);
  image.append(path);
  return image;
}
