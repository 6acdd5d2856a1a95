#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes the pictures of the page in README.md and docs/watch.md. usage: screenshots.js BUILD_DIR OUTPUT_DIR [SCENE…]
'use strict';

const path = require('node:path');

const { SCENES, Stage, launchBrowser } = require('./stage.js');

const DEVICES = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1 },
  desktop: { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 },
};

async function takePictures(browser, stage, output, scene) {
  for (const [device, settings] of Object.entries(DEVICES)) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ ...settings, colorScheme, locale: 'en-GB' });
      await page.goto(stage.url);
      await page.waitForSelector('#figures div');
      await page.screenshot({ path: path.join(output, `${scene}-${device}-${colorScheme}.png`) });
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
      await takePictures(browser, stage, output, scene);
    } finally {
      await stage.close();
    }
  }
  await browser.close();
}

main().catch(error => { console.error(error); process.exitCode = 1; });
