// Modules that the application shares with its extensions.

const APPLICATION = 'CORE_FEDERATION'; // the name that JupyterLab and Notebook 7 give their own modules

/**
 * Return the application's own copy of a module. Another extension may share a copy, too; that one is never taken.
 *
 * @param {Record<string, Record<string, {from: string, get: () => Promise<() => object>}>>} scope
 * @param {string} name
 */
export async function shared(scope, name) {
  const own = Object.values(scope[name] ?? {}).find(entry => entry.from === APPLICATION);
  if (!own) {
    throw new Error(`this application does not share ${name}`);
  }
  return (await own.get())();
}
