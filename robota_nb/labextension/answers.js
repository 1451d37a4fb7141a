// Answers in the outputs of cells. To run a cell is to trust its outputs, and the application then runs scripts in their
// Markdown, too. But an answer is not the user's code: it is always rendered as untrusted.

const MARKDOWN = 'text/markdown';
const COMMAND = 'data-commandlinker-command';
const MARK = 'robota_nb'; // in the metadata of each output that shows an answer

/**
 * Have Markdown rendered as before, but that of answers as in a notebook that is not trusted: sanitised.
 *
 * @param {Lab.RenderMimeRegistry} registry
 */
export function distrustAnswers(registry) {
  const factory = registry.getFactory(MARKDOWN);
  if (!factory) {
    throw new Error('this application renders no Markdown');
  }
  registry.addFactory({
    safe: factory.safe,
    mimeTypes: [MARKDOWN],
    defaultRank: factory.defaultRank,
    createRenderer: options => {
      const renderer = factory.createRenderer(options);
      const render = renderer.renderModel.bind(renderer);
      renderer.renderModel = model =>
        MARK in model.metadata ? renderAnswer(render, renderer.node, model) : render(model);
      return renderer;
    }
  });
}

/**
 * @param {(model: Lab.MimeModel) => Promise<void>} render
 * @param {HTMLElement} node
 * @param {Lab.MimeModel} model
 */
async function renderAnswer(render, node, model) {
  await render(Object.create(model, { trusted: { value: false } }));
  // The application's sanitiser lets these attributes through by default: a click would run one of its commands.
  node.querySelectorAll(`[${COMMAND}]`).forEach(element => element.removeAttribute(COMMAND));
}
