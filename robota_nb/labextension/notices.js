// Notices of the kernel: in the panel of the notebook that they are about, where that is seen; else as notifications of
// the application.

import { t } from './switcher/strings.js';

/** @typedef {import('./settings.js').Settings} Settings */
/** @typedef {(text: string, context: Lab.Context) => boolean} Taker Shows a notice, or says that it cannot. */

const SHOWN = 140; // characters of a notification; JupyterLab cuts longer ones off

export class Notices {
  /** @param {(text: string) => void} notify */
  constructor(notify) {
    this._notify = notify;
    /** @type {Taker[]} */
    this._takers = [];
  }

  /**
   * Have notices shown elsewhere, where that can be done.
   *
   * @param {Taker} taker
   */
  offer(taker) {
    this._takers.push(taker);
  }

  /**
   * @param {string} text
   * @param {Lab.Context} context Of the notebook that it is about.
   */
  show(text, context) {
    if (!this._takers.some(take => take(text, context))) {
      this._notify(text);
    }
  }
}

/**
 * Return a function that shows a text to the user. The text is data: it is shown as text, never as HTML.
 *
 * @param {Lab.AppUtils} apputils
 * @param {Settings} settings
 * @returns {(text: string) => void}
 */
export function notifier({ Notification, showDialog, Dialog }, settings) {
  return text => {
    const notice = `robota_nb: ${text}`;
    const showAll = () => void showDialog({ title: 'robota_nb', body: text, buttons: [Dialog.okButton()] });
    const actions = notice.length > SHOWN ? [{ label: t('showAll'), callback: showAll }] : [];
    const seconds = actions.length ? 0 : settings.get('noticeSeconds');
    Notification.info(notice, { autoClose: seconds ? seconds * 1000 : false, actions });
  };
}
