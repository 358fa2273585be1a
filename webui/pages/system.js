/** Manage the Plug: name, login, licence, certificate, metrics, backup, restart and reset. */
import { FieldError, download, get, navigate, patch, post, put, remove } from '../app/api.js';
import { confirm } from '../app/dialog.js';
import { $, h, notify, showText, swap, term } from '../app/dom.js';
import { base64 } from '../app/file.js';
import { button, onSubmit, show } from '../app/form.js';
import { bytes, celsius, duration, exact, moment } from '../app/format.js';
import { choose, say, t, word } from '../app/i18n.js';
import { showLicence } from '../app/licence.js';
import * as live from '../app/live.js';
import { start } from '../app/shell.js';
import { badge } from '../app/states.js';

let system = null;

start(async () => {
  const [{ zones }, refreshLicence] = await Promise.all([get('/api/time-zones'), showLicence($('#licence')), load()]);
  swap($('#time-zone'), ...zones.map((zone) => h('option', { value: zone }, zone.replaceAll('_', ' '))));
  fill();
  names();
  login();
  backup();
  certificate();
  metrics();
  reset();
  live.on(['settings'], async () => {
    await Promise.all([load(true), refreshLicence(true)]);
    fill();
  });
});

async function load(background = false) {
  system = await get('/api/system', { background });
}

function fill() {
  show($('#names'), system);
  $('#announce').hidden = system.mdns === undefined;
  showText($('#elsewhere'), system.box_text && say(system, 'box_text'));
  swap($('#problems'), system.settings_problems.length ? h('section', { class: 'notice-line' }, h('h2', {}, t('system.problems')), h('ul', { class: 'problem-list' }, system.settings_problems.map((line) => h('li', {}, line)))) : null);
  $('#sessions').textContent = t('sessions.text', { count: system.sessions });
  swap($('#about'), ...about());
  swap($('#restarts'), system.box ? ['services', 'box'].map(restart) : null);
  $('#reset-card').hidden = !system.box;
  showCertificate();
  $('#metrics').replaceChildren(badge(system.metrics.enabled ? 'ok' : 'off', t(system.metrics.enabled ? 'metrics.is.on' : 'metrics.is.off')));
  $('#metrics-on').textContent = t(system.metrics.enabled ? 'metrics.renew' : 'metrics.on');
  $('#metrics-off').hidden = !system.metrics.enabled;
}

function about() {
  const { host, storage } = system;
  const page = [system.port && `HTTP ${system.port}`, system.tls_port && `HTTPS ${system.tls_port}`].filter(Boolean).join(' · ');
  return [
    term(t('about.version'), system.version),
    term(t('about.time'), exact(system.time)),
    term(t('about.started'), moment(system.started_at)),
    term(t('about.page'), page),
    term(t('about.host'), `${host.system} · Python ${host.python}`),
    host.uptime_seconds === null ? null : term(t('about.uptime'), duration(host.uptime_seconds)),
    host.serial_number ? term(t('about.serial'), host.serial_number) : null,
    host.temperature === null ? null : term(t('about.temperature'), celsius(host.temperature)),
    host.memory_bytes === null ? null : term(t('about.memory'), bytes(host.memory_bytes)),
    host.card_written_bytes === null ? null : term(t('about.written'), bytes(host.card_written_bytes)),
    term(t('about.disk'), t('about.disk.text', { database: bytes(storage.database_bytes), outbox: bytes(storage.outbox_bytes), free: bytes(storage.free_bytes) })),
  ];
}

function restart(what) {
  return button(h('button', { type: 'button', 'data-key': `restart-${what}` }, word('restart', what)), async () => {
    const sure = await confirm({ title: word('restart', what), text: word('restart-text', what), action: word('restart', what) });
    if (!sure) return;
    const answer = await post('/api/system/restart', { what });
    notify(say(answer));
  });
}

function names() {
  onSubmit($('#names'), async (values) => {
    const changed = Object.fromEntries(Object.entries(values).filter(([key, value]) => value !== system[key]));
    if (!Object.keys(changed).length) return;
    system = await patch('/api/system', changed);
    show($('#names'), system, { force: true });
    fill();
    if (!changed.language) return;
    choose(changed.language);
    location.reload();
  });
}

function login() {
  const form = $('#password');
  onSubmit(
    form,
    async ({ current, new: wanted, again }) => {
      if (wanted !== again) throw new FieldError('again', t('password.different'));
      await put('/api/password', { current, new: wanted });
      form.reset();
    },
    { done: () => t('password.changed') },
  );
  button($('#everywhere'), async () => {
    const sure = await confirm({ title: t('sessions.end'), text: t('sessions.end.text'), action: t('sessions.end') });
    if (!sure) return;
    await remove('/api/sessions');
    navigate('/login#out');
  });
}

function backup() {
  onSubmit($('#backup'), async ({ password }) => {
    await download('POST', '/api/system/backup', { password });
    $('#backup').reset();
  }, { done: () => t('backup.made') });
  onSubmit($('#restore'), async ({ password }) => {
    const sure = await confirm({ title: t('restore.title'), text: t('restore.text'), action: t('restore.start') });
    if (!sure) return null;
    const answer = await post('/api/system/restore', { password, backup: await base64($('#backup-file').files[0]) });
    $('#restore').reset();
    await load();
    show($('#names'), system, { force: true });
    fill();
    return answer;
  }, { done: (answer) => answer && say(answer) });
}

function showCertificate() {
  const found = system.certificate;
  $('#certificate').hidden = !found;
  $('#no-certificate').hidden = Boolean(found);
  $('#certificate-acts').hidden = !found;
  if (!found) return;
  $('#self-signed').hidden = !found.uploaded;
  swap(
    $('#certificate'),
    term(t('certificate.names'), found.names.join(', ')),
    term(t('certificate.issuer'), found.self_signed ? t('certificate.is.self') : found.issuer),
    term(t('certificate.valid'), moment(found.not_before), ' – ', moment(found.not_after)),
    term(t('certificate.fingerprint'), h('code', {}, found.fingerprint)),
  );
}

function certificate() {
  onSubmit($('#own'), async (values) => {
    system.certificate = await put('/api/system/certificate', values);
    $('#own').reset();
    showCertificate();
  }, { done: () => t('certificate.used') });
  button($('#self-signed'), async () => {
    const sure = await confirm({ title: t('certificate.self'), text: t('certificate.self.text'), action: t('certificate.self') });
    if (!sure) return;
    system.certificate = await remove('/api/system/certificate');
    showCertificate();
  });
}

function metrics() {
  button($('#metrics-on'), async () => {
    const { token } = await post('/api/system/metrics-token');
    swap($('#token'), h('p', {}, t('metrics.token'), ' ', h('code', {}, token)));
    await load();
    fill();
  });
  button($('#metrics-off'), async () => {
    const sure = await confirm({ title: t('metrics.off'), text: t('metrics.off.text'), action: t('metrics.off') });
    if (!sure) return;
    await remove('/api/system/metrics-token');
    $('#token').replaceChildren();
    await load();
    fill();
  });
}

function reset() {
  onSubmit($('#reset'), async ({ name }) => {
    const answer = await post('/api/system/factory-reset', { name });
    $('#reset').reset();
    return answer;
  }, { done: (answer) => say(answer) });
}
