// What the user can set (schemas/robota_nb/chats.json), and what is so where nobody can.

export const PLUGIN = 'robota_nb:chats'; // which the schema belongs to
const DEFAULTS = { openAtStart: false, statusBar: true, noticeSeconds: 8 };

export class Settings {
  constructor() {
    this._values = DEFAULTS;
    this._watchers = [];
  }

  get(name) {
    return this._values[name];
  }

  /** Call something now, and whenever a setting has changed. */
  watch(callback) {
    this._watchers.push(callback);
    callback();
  }

  /** Take over what the user has set, and follow it. Without a registry, or a schema in it, the defaults stay. */
  async load(registry) {
    try {
      const settings = await registry?.load(PLUGIN);
      settings?.changed.connect(() => this._take(settings.composite));
      this._take(settings?.composite);
    } catch (error) {
      console.warn(`robota_nb: settings cannot be read, so the defaults are used: ${error.message}`);
    }
  }

  _take(values) {
    this._values = { ...DEFAULTS, ...values };
    this._watchers.forEach(callback => callback());
  }
}
