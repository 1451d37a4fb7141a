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
 * @param {Lab.Kernel} kernel
 * @param {BridgeMessage.FromFrontEnd} message
 * @returns {Promise<boolean | null>} Whether the kernel has taken it in: after an error or an interrupt it drops what
 *   waits. Null if it was restarted or is gone.
 */
export function push(kernel, message) {
  const id = Math.random().toString(36).slice(2);
  const replies = chunks(text(message)).map((text, chunk, { length: of }) => {
    const content = { code: CODE, silent: true, store_history: false, allow_stdin: false, stop_on_error: false };
    /** @type {BridgeMessage.Chunk} */
    const metadata = { message: id, chunk, of, text };
    return kernel.requestExecute(content, true, { [KEY]: metadata }).done;
  });
  return Promise.all(replies).then(
    all => !all.some(({ content }) => content.status === 'aborted' || content.ename === 'KeyboardInterrupt'),
    () => null
  );
}

/**
 * Return a message as text; one with a value that cannot be sent says so in the value's place.
 *
 * @param {BridgeMessage.FromFrontEnd} message
 */
function text(message) {
  let problem = 'the snapshot is nested too deep';
  try {
    const whole = JSON.stringify(message);
    if (whole.length <= MAX_PUSH) {
      return whole;
    }
    problem = `the snapshot has ${whole.length.toLocaleString('en')} characters, over the cap`;
  } catch {
    // it is nested too deep
  }
  return JSON.stringify({ ...message, value: undefined, problem });
}

/**
 * Cut a text, but no character in two: a gateway closes the connection over one half.
 *
 * @param {string} text
 */
function chunks(text) {
  const found = [];
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + CHUNK, text.length);
    if (/[\ud800-\udbff]/.test(text[end - 1])) {
      end--;
    }
    found.push(text.slice(start, end));
    start = end;
  }
  return found;
}
