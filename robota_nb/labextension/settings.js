// The user's settings (schemas/robota_nb/chats.json), and their defaults where there are none.

import { said } from './switcher/strings.js';

export const PLUGIN = 'robota_nb:chats'; // which the schema belongs to
const DEFAULTS = { openAtStart: false, statusBar: true, noticeSeconds: 8 };

export class Settings {
  constructor() {
    this._values = DEFAULTS;
    /** @type {(() => void)[]} */
    this._watchers = [];
  }

  /**
   * @template {keyof typeof DEFAULTS} Name
   * @param {Name} name
   */
  get(name) {
    return this._values[name];
  }

  /**
   * Call a function now, and whenever a setting has changed.
   *
   * @param {() => void} watcher
   */
  watch(watcher) {
    this._watchers.push(watcher);
    watcher();
  }

  /**
   * Take over what the user has set, and follow it. Without a registry, or a schema in it, the defaults stay.
   *
   * @param {Lab.SettingRegistry} [registry]
   */
  async load(registry) {
    try {
      const settings = await registry?.load(PLUGIN);
      const take = () => {
        translate(settings?.schema);
        this._set(settings?.composite);
      };
      settings?.changed.connect(take);
      take();
    } catch (error) {
      console.warn('robota_nb: settings cannot be read, so the defaults are used:', error);
    }
  }

  /** @param {object} [values] */
  _set(values) {
    this._values = { ...DEFAULTS, ...values };
    this._watchers.forEach(watcher => watcher());
  }
}

/**
 * Have the application's editor of settings speak the user's language: by itself it asks language packs alone, which
 * know nothing of ours.
 *
 * @param {Lab.Schema} [schema] As it came from the server; changed in place, as the application changes its own.
 */
function translate(schema) {
  for (const part of schema ? [schema, ...Object.values(schema.properties ?? {})] : []) {
    part.title &&= said(part.title);
    part.description &&= said(part.description);
  }
}
