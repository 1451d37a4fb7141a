// Notices of the kernel, as notifications of the application.

import { t } from './switcher/strings.js';

/** @typedef {import('./settings.js').Settings} Settings */

const SHOWN = 140; // characters of a notification; JupyterLab cuts longer ones off

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
