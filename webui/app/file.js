/** Read files that the user chose, in the form that the API takes. */

/**
 * Return the content of a file in base64.
 * @param {Blob} file
 * @returns {Promise<string>}
 */
export async function base64(file) {
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  return url.slice(url.indexOf(',') + 1);
}
