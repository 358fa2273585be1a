/** What every page shares: who is logged in, the language, the head, the way to the other pages. */
import { get } from './api.js';
import { $, calm, h, swap, translate } from './dom.js';
import { useZone } from './format.js';
import { choose, language, preferred, speak, t } from './i18n.js';
import { icon } from './icons.js';
import * as live from './live.js';

const PAGES = {
  overview: '/',
  printers: '/printers',
  discovery: '/discovery',
  transmission: '/transmission',
  traps: '/traps',
  services: '/services',
  network: '/network',
  updates: '/updates',
  system: '/system',
};
const NAMES = { en: 'English', de: 'Deutsch' };
const LOST_AFTER = 4000;

export let session = {};

/** Begin a page: `build(session)` fills <main>, which is shown when it is whole, so that nothing jumps. */
export async function start(build) {
  const main = $('#main');
  try {
    live.onState(connection());
    const connected = live.connected(); // before the page asks for anything: what changes from then on is told
    const guess = preferred('');
    const [found] = await Promise.all([get('/api/session'), speak(guess)]);
    session = found;
    if (preferred(session.language) !== guess) await speak(preferred(session.language));
    useZone(session.time_zone);
    translate();
    head();
    await connected;
    live.building();
    await build(session);
    if (session.network_trial && document.body.dataset.page !== 'network') main.prepend(waiting());
    live.on(['settings'], calm(refresh, 1000));
    live.built();
  } catch (error) {
    main.replaceChildren(h('p', { class: 'problem', role: 'alert' }, error.message));
    throw error;
  } finally {
    main.hidden = false;
    document.body.dataset.ready = '1';
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }
}

/** The page's name in the window's title, and in the head of the page where it has one. */
export function title(text) {
  document.title = `${text} – ${session.name}`;
}

async function refresh() {
  session = await get('/api/session', { background: true });
  useZone(session.time_zone);
  names();
}

function head() {
  const page = document.body.dataset.page;
  title(t(`nav.${page}`));
  const menu = h(
    'button',
    { type: 'button', class: 'plain menu', 'aria-expanded': 'false', 'aria-controls': 'side', onclick: toggle },
    icon('menu'),
    h('span', {}, t('menu')),
  );
  swap(
    $('#bar'),
    menu,
    h('a', { href: '/', class: 'brand' }, 'PrintMonitor ', h('b', {}, 'Plug')),
    h('span', { id: 'whose' }),
    h('form', { method: 'post', action: '/logout' }, h('button', { class: 'plain' }, icon('out'), h('span', {}, t('logout')))),
  );
  names();
  const links = Object.entries(PAGES).map(([name, place]) =>
    h('li', {}, h('a', { href: place, 'aria-current': name === page ? 'page' : null }, icon(name), h('span', {}, t(`nav.${name}`)))),
  );
  $('#side').setAttribute('aria-label', t('nav'));
  swap($('#side'), h('ul', {}, links), h('div', { class: 'languages', role: 'group', 'aria-label': t('languages') }, Object.entries(NAMES).map(speaks)), h('p', { class: 'version' }, `PrintMonitor Plug ${session.version}`));
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && menu.getAttribute('aria-expanded') === 'true') {
      toggle();
      menu.focus();
    }
  });

  function toggle() {
    const open = menu.getAttribute('aria-expanded') !== 'true';
    menu.setAttribute('aria-expanded', String(open));
    document.body.toggleAttribute('data-menu', open);
  }
}

/** New network settings go again unless somebody confirms them, at whichever page he came in. */
function waiting() {
  return h('p', { class: 'notice-line' }, t('network.waits'), ' ', h('a', { href: '/network' }, t('network.confirm')));
}

/** A button for this browser's language; it matters to nobody else. */
function speaks([tag, name]) {
  const act = () => {
    choose(tag);
    location.reload();
  };
  return h('button', { type: 'button', class: 'plain small', lang: tag, 'aria-pressed': String(tag === language), onclick: act }, name);
}

function names() {
  $('#whose').textContent = [session.site, session.name].filter(Boolean).join(' · ');
}

/** Say that the connection is lost, if it stays so for a moment, and when it is back. */
function connection() {
  let timer = null;
  return (there) => {
    if (there) {
      clearTimeout(timer);
      timer = null;
      $('#lost').replaceChildren();
    } else {
      timer ??= setTimeout(() => $('#lost').replaceChildren(icon('warning'), t('lost')), LOST_AFTER); // each try fails anew
    }
  };
}
