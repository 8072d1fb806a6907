/* Draws faces from independent factors: node draw.mjs 12000 FOLDER/avatars64

   The designs are "Avataaars" by Pablo Stanley, free for personal and commercial use, drawn by
   DiceBear. Two files are written: avatars64.rgb, the pixels of all images one after the
   other, and avatars64.json, the factors of each and the names of their levels; pack.py makes
   one of them. The same versions (package.json) draw the same pixels. */

import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import * as avataaars from '@dicebear/avataaars';
import { createAvatar } from '@dicebear/core';
import { Resvg } from '@resvg/resvg-js';

const SEED = 12345;
const SIDE = 64; // pixels
const VIEW_BOX = '44 24 192 192'; // of the 280 x 280 of a design: head and shoulders
const FRAMES = '262e33'; // the colour of all glasses

// A level that is there three times is drawn three times as often.
const mostlyNone = (...others) => ['none', 'none', 'none', ...others];
const CHOICES = {
  hair: [
    'none', 'shortFlat', 'bob', 'bun', 'curly', 'longButNotTooLong', 'shortCurly', 'theCaesar',
    'straight02', 'fro', 'dreads', 'turban',
  ],
  hair_color: ['2c1b18', '724133', 'c93305', 'e8e1e1', 'f59797', 'd6b370'],
  glasses: mostlyNone('round', 'prescription02', 'sunglasses', 'wayfarers'),
  beard: mostlyNone('beardMedium', 'beardLight', 'moustacheFancy'),
  skin: ['614335', 'ae5d29', 'd08b5b', 'edb98a', 'fd9841', 'ffdbb4'],
  eyes: ['default', 'closed', 'happy', 'squint', 'surprised', 'wink'],
  eyebrows: ['default', 'angryNatural', 'raisedExcited', 'sadConcerned'],
  mouth: ['default', 'smile', 'sad', 'serious', 'screamOpen', 'twinkle'],
  clothing: [
    'hoodie', 'blazerAndShirt', 'collarAndSweater', 'graphicShirt', 'overall', 'shirtVNeck',
  ],
  clothes_color: ['262e33', '65c9ff', '5199e4', 'ff488e', 'a7ffc4', 'ffffb1', 'ff5c5c'],
  background: ['e8eaf6', 'b3d9c6', 'f2d0a4', '9aa7b5', '3d405b', 'f7f7f7'],
};
// Whole numbers: shifts and size in per cent of the design, tilt in degrees.
const RANGES = { x: [-6, 6], y: [-4, 4], size: [95, 120], tilt: [-12, 12] };

/* Returns a generator of numbers in [0, 1): mulberry32, by Tommy Ettinger, public domain. */
function mulberry32(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/* Returns { factor: level } of one face; of a choice its name, of a range the number. */
function drawFactors(uniform) {
  const face = {};
  for (const [name, levels] of Object.entries(CHOICES)) {
    face[name] = levels[Math.floor(uniform() * levels.length)];
  }
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    face[name] = Math.round(uniform() * (most - least) + least);
  }
  return face;
}

/* Returns DiceBear's options for a part that may be missing. */
function part(option, level) {
  if (level === 'none') return { [`${option}Probability`]: 0 };
  return { [option]: [level], [`${option}Probability`]: 100 };
}

/* Returns the drawing as SVG. What no factor says, the print of a shirt, the seed does. */
function draw(face, seed) {
  const svg = createAvatar(avataaars, {
    seed,
    ...part('top', face.hair),
    ...part('accessories', face.glasses),
    ...part('facialHair', face.beard),
    hairColor: [face.hair_color],
    facialHairColor: [face.hair_color],
    hatColor: [face.hair_color],
    accessoriesColor: [FRAMES],
    skinColor: [face.skin],
    eyes: [face.eyes],
    eyebrows: [face.eyebrows],
    mouth: [face.mouth],
    clothing: [face.clothing],
    clothesColor: [face.clothes_color],
    backgroundColor: [face.background],
    translateX: face.x,
    translateY: face.y,
    scale: face.size,
    rotate: (face.tilt + 360) % 360,
  });
  return svg.toString().replace(/viewBox="[^"]*"/, `viewBox="${VIEW_BOX}"`);
}

/* Returns the pixels of a drawing, red, green and blue by rows; the background is opaque. */
function rasterize(svg) {
  const { pixels } = new Resvg(svg, { fitTo: { mode: 'width', value: SIDE } }).render();
  return pixels.filter((_, place) => place % 4 < 3);
}

/* Returns the numbers of a face's levels: of repeated ones the first. */
function numbered(face) {
  return Object.entries(face).map(([name, level]) => CHOICES[name]?.indexOf(level) ?? level);
}

const [count, name] = process.argv.slice(2);
if (!(Number(count) > 0) || !name) {
  console.error('Needs a number of images and a name for the files: node draw.mjs 12000 FOLDER/avatars64');
  process.exit(1);
}
const uniform = mulberry32(SEED);
const factors = [];
const pixels = openSync(`${name}.rgb`, 'w');
for (let image = 0; image < Number(count); image += 1) {
  const face = drawFactors(uniform);
  factors.push(numbered(face));
  writeSync(pixels, rasterize(draw(face, `s${image}`)));
}
closeSync(pixels);
const names = [...Object.keys(CHOICES), ...Object.keys(RANGES)];
writeFileSync(`${name}.json`, JSON.stringify({ side: SIDE, names, levels: CHOICES, factors }));
