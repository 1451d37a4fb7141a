// What the kernel wants the user to know, as a notification of the application.

const SHOWN = 140; // characters of a notification; JupyterLab cuts longer ones off

/** Return what shows a text to the user. It is data: it is shown as text, never as HTML. */
export function notifier({ Notification, showDialog, Dialog }, settings) {
  const whole = text => showDialog({ title: 'robota_nb', body: text, buttons: [Dialog.okButton()] });
  return text => {
    const notice = `robota_nb: ${text}`;
    const actions = notice.length > SHOWN ? [{ label: 'Show all', callback: () => void whole(text) }] : [];
    const seconds = actions.length ? 0 : settings.get('noticeSeconds');
    Notification.info(notice, { autoClose: seconds ? seconds * 1000 : false, actions });
  };
}
