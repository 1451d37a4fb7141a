// Tells the kernel something before the next cell runs: as a silent request whose metadata carries the message.
//
// A comm message would do for most, but a kernel reads those only between cells, and in no promised order.

export const KEY = 'robota_nb'; // in the metadata of requests, as in that of notebooks
export const MAX_PUSH = 25_000_000; // characters; the kernel would not decode more

const CHUNK = 1_000_000; // characters: gateways drop websocket messages over 10 MiB, and escapes take room, too
const CODE = 'try:\n    from robota_nb import _receive; _receive()\nexcept ImportError: pass';

/**
 * Send a message to the kernel.
 *
 * @param kernel The kernel's connection.
 * @param {object} message
 * @param {() => void} lost Called if the kernel did not take it in: after an error or an interrupt it drops what waits.
 */
export function push(kernel, message, lost) {
  const text = JSON.stringify(message);
  const id = Math.random().toString(36).slice(2);
  const of = Math.max(1, Math.ceil(text.length / CHUNK));
  const replies = [];
  for (let chunk = 0; chunk < of; chunk++) {
    const piece = text.slice(chunk * CHUNK, (chunk + 1) * CHUNK);
    const content = { code: CODE, silent: true, store_history: false, allow_stdin: false, stop_on_error: false };
    const metadata = { [KEY]: { message: id, chunk, of, text: piece } };
    replies.push(kernel.requestExecute(content, true, metadata).done);
  }
  Promise.all(replies).then(
    all => {
      if (all.some(({ content }) => content.status === 'aborted' || content.ename === 'KeyboardInterrupt')) {
        lost();
      }
    },
    () => {} // the kernel was restarted or is gone: the next one is told anew
  );
}
