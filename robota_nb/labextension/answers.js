// Answers in the outputs of cells. To run a cell is to trust its outputs, and the application then runs scripts in their
// Markdown, too. But an answer is not the user's code: it is always rendered as untrusted, and fetches nothing.

import { disarmFormulas, inertHTML, isPublic, withoutDiagrams } from './inert.js';
import { showPicturesOnClick } from './switcher/links.js';
import { STDERR } from './errors.js';
import { PICTURE_TYPES } from './lines.js';
import { KEY } from './push.js'; // in the metadata of each output that shows an answer as Markdown

/** @typedef {import('./code_lines.js').CodeLines} CodeLines */
/** @typedef {import('./errors.js').ErrorLines} ErrorLines */
/** @typedef {import('./lines.js').Lines} Lines */

const MARKDOWN = 'text/markdown';
const OTHERS = ['text/plain', 'application/json', ...PICTURE_TYPES]; // that an answer may be shown as

/**
 * Have Markdown rendered as before, but that of answers as in a notebook that is not trusted: sanitised, and without what
 * is loaded without a click. Below the end of each answer there is place for a line about it, and so below each error and each block of code in an answer.
 *
 * @param {Lab.Application} app
 * @param {Lab.RenderMimeRegistry} registry
 * @param {Lines} lines
 * @param {ErrorLines} errors
 * @param {CodeLines} codes
 * @param {(path: string) => boolean} showsPictures Whether answers of a document may show pictures of public servers.
 */
export function distrustAnswers(app, registry, lines, errors, codes, showsPictures) {
  if (!registry.getFactory(MARKDOWN)) {
    throw new Error('this application renders no Markdown');
  }
  const below = {
    /** @type {Lines['put']} */
    put: (node, model) => [codes, lines].forEach(one => one.put(node, model))
  };
  wrap(registry, MARKDOWN, below, (factory, options) => {
    const guard = new Guard(options, showsPictures);
    const renderer = factory.createRenderer(guard.options);
    const render = renderer.renderModel.bind(renderer);
    showPicturesOnClick(renderer.node);
    renderer.renderModel = model => {
      renderer.node.classList.toggle('robota-shows-answer', KEY in model.metadata);
      return render(guard.watch(model));
    };
    return renderer;
  });
  if (registry.getFactory(STDERR)) {
    wrap(registry, STDERR, errors, (factory, options) => factory.createRenderer(options));
  }
  void app.started.then(() => { // what renders JSON is another extension
    for (const type of OTHERS.filter(type => registry.getFactory(type))) {
      wrap(registry, type, lines, (factory, options) => factory.createRenderer(options));
    }
  });
}

/**
 * Have the renderers of a type made otherwise, and a line below what they render, where there is one to be.
 *
 * @param {Lab.RenderMimeRegistry} registry
 * @param {string} type
 * @param {Pick<Lines, 'put'>} lines
 * @param {(factory: Lab.RendererFactory, options: Lab.RendererOptions) => Lab.Renderer} make
 */
function wrap(registry, type, lines, make) {
  const factory = /** @type {Lab.RendererFactory} */ (registry.getFactory(type));
  registry.addFactory({
    safe: factory.safe,
    mimeTypes: [type],
    defaultRank: factory.defaultRank,
    createRenderer: options => {
      const renderer = make(factory, options);
      const render = renderer.renderModel.bind(renderer);
      renderer.renderModel = async model => {
        await render(model);
        lines.put(renderer.node, model);
      };
      return renderer;
    }
  });
}

/** What a renderer is made with, so that what it renders of an answer loads nothing. */
class Guard {
  /**
   * @param {Lab.RendererOptions} options The application's.
   * @param {(path: string) => boolean} showsPictures
   */
  constructor(options, showsPictures) {
    this._isAnswer = false;
    const { sanitizer, markdownParser, latexTypesetter, resolver } = options;
    /** @param {string} address */
    const allows = address => isPublic(address) && showsPictures(resolver?.path ?? '');
    this.options = {
      ...options,
      sanitizer: instead(sanitizer, {
        sanitize: (html, limits) => {
          const clean = sanitizer.sanitize(html, limits);
          return this._isAnswer ? inertHTML(clean, allows) : clean;
        }
      }),
      markdownParser: markdownParser && instead(markdownParser, {
        render: source => markdownParser.render(this._isAnswer ? withoutDiagrams(source) : source)
      }),
      latexTypesetter: latexTypesetter && instead(latexTypesetter, {
        typeset: element => {
          if (this._isAnswer) {
            disarmFormulas(element);
          }
          return latexTypesetter.typeset(element);
        }
      })
    };
  }

  /**
   * Return the model as it is to be rendered now.
   *
   * @param {Lab.MimeModel} model
   */
  watch(model) {
    this._isAnswer = KEY in model.metadata;
    return this._isAnswer ? Object.create(model, { trusted: { value: false } }) : model;
  }
}

/**
 * Return an object that is another one but for some methods.
 *
 * @template {object} T
 * @param {T} other
 * @param {Partial<T>} methods
 * @returns {T}
 */
function instead(other, methods) {
  return Object.assign(Object.create(other), methods);
}
