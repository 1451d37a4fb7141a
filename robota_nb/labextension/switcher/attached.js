// What goes along with the message that is being written: its chips, the menu that adds to them, and a look at what all
// of it comes to.

import { h } from './dom.js';
import { icon } from './icons.js';
import { menuButton } from './menu.js';
import { t } from './strings.js';

/** @typedef {import('./menu.js').Item} Item */
/** @typedef {import('./switcher.js').Actions} Actions */
/** @typedef {import('./switcher.js').Services} Services */
/** @typedef {ViewMessage.Attachment} Attachment */

const LARGEST = 2_000_000; // bytes of a file: it goes to the kernel in one message
const PICTURES = /^image\/(png|jpeg|gif|webp)$/;
const TOKEN = 4; // bytes of English text, about

export class Attached {
  /**
   * @param {Actions} actions
   * @param {Services} services
   * @param {object} on What the menu does beside attaching.
   * @param {() => unknown} on.preview Shows what would be sent.
   * @param {() => unknown} on.variable Has a variable chosen.
   * @param {() => unknown} on.added Something goes along: what is typed next is the message.
   */
  constructor(actions, services, { preview, variable, added }) {
    this._actions = actions;
    this._added = added;
    this._services = services;
    /** @type {Attachment[]} */
    this.list = [];
    this._chips = h('ul.robota-chips', { 'aria-label': t('attached') });
    this._preview = h('div.robota-preview', { role: 'region', 'aria-label': t('preview'), 'data-part': 'preview', hidden: true });
    this._files = h('input', { type: 'file', multiple: true, hidden: true, 'data-part': 'files', on: { change: () => void this._read() } });
    this._above = check('cells-above', t('cellsAbove'), () => (this._withOutputs.element.hidden = !this._above.box.checked));
    this._withOutputs = check('with-outputs', t('withOutputs'));
    this._withOutputs.element.hidden = true;
    const along = h('div.robota-along', { hidden: !services.cellsAbove }, this._above.element, this._withOutputs.element);
    this.element = h('div.robota-attached', {}, this._preview, this._chips, along, this._files);
    this.button = menuButton({
      label: t('attach'),
      part: 'attach',
      sign: 'add',
      items: () => [
        ...this._ofNotebook(),
        [t('attachError'), () => this.add([{ kind: 'error' }])],
        [t('attachVariable'), variable],
        [t('attachFile'), () => this._files.click()],
        [t('preview'), preview]
      ]
    });
  }

  /** @param {Attachment[]} list */
  set(list) {
    this.list = list;
    this._preview.hidden = true;
    this._chips.replaceChildren(...list.map((one, index) => this._chip(one, index)));
    this._chips.hidden = list.length === 0;
  }

  /** @param {Attachment[]} more */
  add(more) {
    this.set([...this.list, ...more]);
    this._added();
  }

  /**
   * Return what the switch has go along, as the notebook is now.
   *
   * @returns {Attachment[]}
   */
  above() {
    const { cellsAbove } = this._services;
    if (!cellsAbove || !this._above.box.checked) {
      return [];
    }
    const outputs = this._withOutputs.box.checked;
    return [{ kind: 'cells', cells: cellsAbove(this.element, outputs), outputs }];
  }

  /**
   * Show what would be sent.
   *
   * @param {ViewMessage.Draft} draft
   */
  show({ text, size, messages, pictures }) {
    const words = [
      t('kilobytes', { size: Math.ceil(size / 1000) }),
      t('aboutTokens', { count: Math.ceil(size / TOKEN) }),
      t('messages', { count: messages }),
      ...(pictures ? [t('pictures', { count: pictures })] : [])
    ];
    const close = h('button.robota-icon', {
      type: 'button', 'aria-label': t('dismiss'), title: t('dismiss'), on: { click: () => (this._preview.hidden = true) }
    }, icon('close'));
    this._preview.replaceChildren(
      h('div.robota-preview-head', {}, h('span', {}, words.join(' · ')), close), h('pre', { dir: 'auto', tabindex: 0 }, text));
    this._preview.hidden = false;
  }

  /** @returns {Item[]} */
  _ofNotebook() {
    const { selectedCell } = this._services;
    return selectedCell ? [[t('attachCell'), () => this._attachCell(selectedCell(this.element))]] : [];
  }

  /** @param {Attachment[]} found */
  _attachCell(found) {
    if (found.length) {
      this.add(found);
    } else {
      this._actions.notify(t('noCell'));
    }
  }

  /** Attach the files that were chosen. */
  async _read() {
    const files = [...(this._files.files ?? [])];
    this._files.value = ''; // the same one may be chosen again
    for (const file of files) {
      if (file.size > LARGEST) {
        this._actions.notify(t('fileTooLarge', { name: file.name, size: LARGEST / 1_000_000 }));
      } else {
        const kind = PICTURES.test(file.type) ? 'picture' : 'file';
        this.add([{ kind, name: file.name, data: base64(await file.arrayBuffer()) }]);
      }
    }
  }

  /**
   * @param {Attachment} one
   * @param {number} index
   */
  _chip(one, index) {
    const name = nameOf(one);
    const away = h('button.robota-icon', {
      type: 'button', 'aria-label': t('takeOff', { name }), title: t('takeOff', { name }),
      on: { click: () => this.set(this.list.filter((_, at) => at !== index)) }
    }, icon('close'));
    return h('li.robota-chip', { title: one.text ?? name }, h('bdi', {}, name), away);
  }
}

/**
 * Return a box that can be checked, with its label.
 *
 * @param {string} part
 * @param {string} label
 * @param {() => void} [onChange]
 */
function check(part, label, onChange = () => {}) {
  const box = h('input', { type: 'checkbox', 'data-part': part, on: { change: onChange } });
  return { box, element: h('label.robota-check', {}, box, h('span', {}, label)) };
}

/** @param {Attachment} one */
function nameOf({ kind, name }) {
  return kind === 'variable' ? `@${name}` : name || t(`attached.${kind}`);
}

/** @param {ArrayBuffer} buffer */
function base64(buffer) {
  const bytes = new Uint8Array(buffer);
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 0x8000) { // a call takes only so many arguments
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  }
  return btoa(pieces.join(''));
}
