"use strict";

/** The grey of a picture's pixels, [rows][columns]; nothing but its size of one that is larger than `most` a side. */
async function greys(file, most) {
  const image = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch(() => {
    throw new Error(`${file.name} is neither a picture that this browser reads nor .csv`);
  });
  const { width, height } = image;
  if (Math.max(width, height) > most) return Array.from({ length: height }, () => ({ length: width }));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const grey = (at) => 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => grey(4 * (y * width + x))));
}

/** The numbers of a text, [rows][columns]: a row a line, apart by commas or blanks. */
const numbers = (text) => text.trim().split(/\r?\n/).map((line) => line.trim().split(/[\s,]+/).map(Number));

/** A kernel of a file as a model takes it: of sum 1, with zeros around it, [side][side]. */
async function kernelOf(file, side) {
  const rows = /\.(csv|txt)$/i.test(file.name) ? numbers(await file.text()) : await greys(file, side);
  const [height, width] = [rows.length, rows[0].length];
  const fits = (size) => size % 2 === 1 && size <= side;
  if (!fits(height) || !fits(width) || rows.some((row) => row.length !== width)) {
    throw new Error(`a kernel has a middle: odd sides of at most ${side}; received ${height} x ${width} of ${file.name}`);
  }
  const sum = rows.flat().reduce((total, value) => total + value, 0);
  if (!rows.flat().every((value) => value >= 0) || !(sum > 0 && sum < Infinity)) {
    throw new Error(`a kernel has numbers of at least 0, of which some are above; ${file.name} has others`);
  }
  const [top, left] = [(side - height) / 2, (side - width) / 2];
  return Array.from({ length: side }, (_, y) =>
    Array.from({ length: side }, (_, x) => (rows[y - top]?.[x - left] ?? 0) / sum));
}
