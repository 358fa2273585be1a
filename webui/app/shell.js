/** Build the frame of each page: session, language, header, navigation and connection state. */
import './elements.js';
import { get } from './api.js';
import { $, throttle, h, swap, translate } from './dom.js';
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
const LOST_DELAY_MS = 4000;

/** @type {any} JSON of /api/session */
export let session = {};

/**
 * Start a page: `build` fills <main>, which is shown when it is complete, so that nothing jumps.
 * @param {(session: any) => unknown} build
 */
export async function start(build) {
  const main = $('#main');
  addFrame(main);
  try {
    live.onState(connectionNotice());
    const connected = live.keepConnected(); // before the page loads any data, so that no change is missed
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
    if (session.network_trial && document.body.dataset.page !== 'network') main.prepend(trialReminder());
    live.on(['settings'], throttle(refresh, 1000));
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

/**
 * Set the title of the window.
 * @param {string} text
 */
export function title(text) {
  document.title = `${text} – ${session.name}`;
}

/** Put what all pages share around <main>: skip link, header, navigation, connection state and notices. */
function addFrame(main) {
  main.before(
    h('a', { class: 'skip', href: '#main', 'data-t': 'skip' }),
    h('header', { id: 'bar' }),
    h('nav', { id: 'side' }),
  );
  main.after(h('p', { id: 'lost', role: 'status' }), h('div', { id: 'notices', role: 'status' }));
}

async function refresh() {
  session = await get('/api/session', { background: true });
  useZone(session.time_zone);
  showNames();
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
  showNames();
  const links = Object.entries(PAGES).map(([name, place]) =>
    h('li', {}, h('a', { href: place, 'aria-current': name === page ? 'page' : null }, icon(name), h('span', {}, t(`nav.${name}`)))),
  );
  $('#side').setAttribute('aria-label', t('nav'));
  swap($('#side'), h('ul', {}, links), h('div', { class: 'languages', role: 'group', 'aria-label': t('languages') }, Object.entries(NAMES).map(languageButton)), h('p', { class: 'version' }, `PrintMonitor Plug ${session.version}`));
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

/** Return the reminder to confirm new network settings, shown on all other pages. */
function trialReminder() {
  return h('p', { class: 'notice-line' }, t('network.waits'), ' ', h('a', { href: '/network' }, t('network.confirm')));
}

/** Return a button that sets the language of this browser. */
function languageButton([tag, name]) {
  const act = () => {
    choose(tag);
    location.reload();
  };
  return h('button', { type: 'button', class: 'plain small', lang: tag, 'aria-pressed': String(tag === language), onclick: act }, name);
}

function showNames() {
  $('#whose').textContent = [session.site, session.name].filter(Boolean).join(' · ');
}

/** Return a listener that shows a lost connection after a delay, and hides it when the connection is back. */
function connectionNotice() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return (connected) => {
    if (connected) {
      clearTimeout(timer);
      timer = undefined;
      $('#lost').replaceChildren();
    } else {
      timer ??= setTimeout(() => $('#lost').replaceChildren(icon('warning'), t('lost')), LOST_DELAY_MS); // each failed attempt calls this
    }
  };
}
