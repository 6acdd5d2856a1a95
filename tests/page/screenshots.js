#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes the pictures of the page in README.md and docs/watch.md: those of PICTURES, or of other scenes all.
// usage: screenshots.js BUILD_DIR OUTPUT_DIR [SCENE…]
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { SCENES, Stage, launchBrowser } = require('./stage.js');

const DEVICES = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1 },
  desktop: { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 },
};

const PICTURES = [
  'empty-phone-light', 'busy-desktop-light', 'outage-desktop-dark', 'outage-phone-light', 'refused-desktop-light', 'refused-phone-dark',
];
// What the page says in each scene; an outage shows only when it has lasted.
const KINDS = { empty: 'safe', busy: 'unsafe', outage: 'outage', refused: 'trouble' };
const FEW_COLOURS = 'split[a][b];[a]palettegen=max_colors=48[p];[b][p]paletteuse=dither=none';

async function takePicture(page, file) {
  await page.screenshot({ path: `${file}.full.png` });
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', `${file}.full.png`, '-filter_complex', FEW_COLOURS, `${file}.png`]);
  fs.unlinkSync(`${file}.full.png`);
}

async function takePictures(browser, stage, output, scene, all) {
  for (const [device, settings] of Object.entries(DEVICES)) {
    for (const colorScheme of ['light', 'dark']) {
      const name = `${scene}-${device}-${colorScheme}`;
      if (!all && !PICTURES.includes(name)) continue;
      const page = await browser.newPage({ ...settings, colorScheme, locale: 'en-GB' });
      await page.goto(stage.url);
      await page.waitForSelector(`body.${KINDS[scene]}`);
      await takePicture(page, path.join(output, name));
      await page.close();
    }
  }
}

async function main() {
  const [build, output, ...scenes] = process.argv.slice(2);
  const browser = await launchBrowser();
  for (const scene of scenes.length > 0 ? scenes : Object.keys(SCENES)) {
    const stage = new Stage(build);
    try {
      await SCENES[scene](stage);
      await takePictures(browser, stage, output, scene, scenes.length > 0);
    } finally {
      await stage.close();
    }
  }
  await browser.close();
}

main().catch(error => { console.error(error); process.exitCode = 1; });
