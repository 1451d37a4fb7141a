// The form for a chat's settings: who is asked, with which model, system prompt and parameters.

import { h } from './dom.js';
import { t } from './strings.js';

/** @typedef {import('./switcher.js').Actions} Actions */

const PREFIX = 'robota-models-'; // of the ids of the lists of models on a page
let forms = 0;

/**
 * Show the form for a chat, and have it take effect if the user says so.
 *
 * @param {HTMLElement} place Where it is put.
 * @param {{ id: string, name: string }} chat
 * @param {Actions} actions
 * @param {() => void} done Called when it is gone again.
 */
export async function showSettings(place, chat, actions, done) {
  const answer = await actions.request('chat.settings', { chat: chat.id });
  if (answer?.settings) {
    const form = new SettingsForm(chat, answer.settings, actions, () => {
      form.element.remove();
      done();
    });
    place.replaceChildren(form.element);
    form.focus();
  }
}

class SettingsForm {
  /**
   * @param {{ id: string, name: string }} chat
   * @param {ViewMessage.Settings} settings
   * @param {Actions} actions
   * @param {() => void} close
   */
  constructor(chat, settings, actions, close) {
    this._chat = chat;
    this._settings = settings;
    this._actions = actions;
    this._close = close;
    this._models = h('datalist', { id: `${PREFIX}${++forms}` });
    this._preset = choice('preset', [['', t('noPreset')], ...settings.presets.map(same)], '');
    this._provider = choice('provider', listed(settings.endpoints, settings.provider).map(same), settings.provider);
    this._provider.addEventListener('change', () => {
      this._model.value = ''; // that of another endpoint may be unknown to this one
      void this._list();
    });
    this._model = h('input', { type: 'text', list: this._models.id, maxlength: 200, 'data-part': 'model', placeholder: t('defaultModel') });
    this._model.value = settings.model;
    this._said = h('span.robota-aside', { role: 'status' });
    this._system = h('textarea', { rows: 4, 'data-part': 'system', dir: 'auto' });
    this._system.value = settings.system;
    this._params = h('textarea', { rows: 3, 'data-part': 'params', dir: 'ltr', placeholder: 'temperature = 0.2' });
    this._params.value = Object.entries(settings.params).map(([name, value]) => `${name} = ${value}`).join('\n');
    this.element = h('form.robota-settings', {
      'aria-label': t('settingsOf', { name: chat.name }), 'data-part': 'settings',
      on: { submit: event => this._onSubmit(event), keydown: event => this._onKey(event) }
    },
    h('div.robota-settings-title', { dir: 'auto' }, t('settingsOf', { name: chat.name })),
    settings.presets.length ? field('preset', this._preset) : null,
    field('provider', this._provider),
    field('model', this._model), this._models, this._said,
    field('system', this._system),
    field('params', this._params),
    h('div.robota-choices', {},
      h('button.robota-button', { type: 'button', 'data-part': 'settings-cancel', on: { click: close } }, t('cancel')),
      h('button.robota-button.robota-main', { type: 'submit', 'data-part': 'settings-save' }, t('save'))));
    void this._list();
  }

  focus() {
    this._model.focus();
    this._model.select();
  }

  /** Have the models of the endpoint listed. */
  async _list() {
    const provider = this._provider.value;
    this._said.textContent = t('listing');
    this._models.replaceChildren();
    const answer = await this._actions.request('models', { provider });
    if (provider !== this._provider.value) {
      return; // another one was chosen meanwhile
    }
    const models = answer?.models ?? [];
    this._models.replaceChildren(...models.map(name => h('option', { value: name })));
    this._said.textContent = models.length ? t('modelsListed', { count: models.length }) : t('noModelsListed');
  }

  /** @param {SubmitEvent} event */
  async _onSubmit(event) {
    event.preventDefault();
    const { provider, model, system, params } = this._settings;
    /** @type {ViewMessage.Arguments} */
    const args = { chat: this._chat.id };
    if (this._preset.value) {
      args.preset = this._preset.value;
    }
    if (this._provider.value !== provider) {
      args.provider = this._provider.value;
      args.model = this._model.value;
    } else if (this._model.value !== model) {
      args.model = this._model.value;
    }
    if (this._system.value !== system) {
      args.system = this._system.value;
    }
    const changed = difference(params, pairs(this._params.value));
    if (Object.keys(changed).length) {
      args.params = changed;
    }
    if (Object.keys(args).length === 1 || (await this._actions.request('chat.set', args))) {
      this._close();
    }
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    if (event.key === 'Escape') {
      event.stopPropagation();
      this._close();
    }
  }
}

/**
 * Return what the lines of a text say, each `name = value`; a line without a value names one that is to be set.
 *
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function pairs(text) {
  const lines = text.split('\n').map(line => line.trim()).filter(Boolean);
  return new Map(lines.map(line => {
    const [name, ...value] = line.split('=');
    return [name.trim(), value.join('=').trim()];
  }));
}

/**
 * Return the parameters that are other ones now; one that is gone is empty, which unsets it.
 *
 * @param {Record<string, string>} before
 * @param {Map<string, string>} after
 * @returns {Record<string, string>}
 */
export function difference(before, after) {
  /** @type {Record<string, string>} */
  const changed = Object.create(null);
  for (const [name, value] of after) {
    if (!Object.hasOwn(before, name) || before[name] !== value) {
      changed[name] = value;
    }
  }
  for (const name of Object.keys(before).filter(name => !after.has(name))) {
    changed[name] = '';
  }
  return changed;
}

/**
 * @param {'preset' | 'provider'} part
 * @param {[value: string, label: string][]} options
 * @param {string} chosen
 */
function choice(part, options, chosen) {
  const select = h('select', { 'data-part': part }, ...options.map(([value, label]) => h('option', { value }, label)));
  select.value = chosen;
  return select;
}

/**
 * @param {'preset' | 'provider' | 'model' | 'system' | 'params'} name
 * @param {HTMLElement} control
 */
function field(name, control) {
  return h('label.robota-setting', {}, h('span', {}, t(`setting.${name}`)), control);
}

/**
 * @param {string[]} names
 * @param {string} chosen A colleague's notebook may name one that is not here.
 */
function listed(names, chosen) {
  return names.includes(chosen) ? names : [chosen, ...names];
}

/**
 * @param {string} name
 * @returns {[string, string]}
 */
function same(name) {
  return [name, name];
}
