// SPDX-License-Identifier: LGPL-2.1-or-later
// That the manifests of examples/kubernetes are what Kubernetes' own schemas allow, that they name each other rightly, and that what their
// commands say is there in the programs, as a TAP test. The schemas come with a package: nothing is asked of a network.
//
// usage: node check-manifests.js SOURCE_DIR
'use strict';
const fs = require('fs');
const path = require('path');
const yaml = require('js-yaml');

const top = process.argv[2];
const folder = path.join(top, 'examples/kubernetes');

/** The model of an object, by its apiVersion and kind: "apps/v1" is the package's folder. */
function modelOf(object) {
  return require(`kubernetes-models/${object.apiVersion}`)[object.kind];
}

/** Members of an interface in a file of types, and where their own types are: [name, file or null]. */
function membersOf(file) {
  const text = fs.readFileSync(file, 'utf8');
  const imports = new Map([...text.matchAll(/^import \{ (\w+) \} from "(.*)";/gm)].map(([, name, from]) => [name, from]));
  const body = text.slice(text.indexOf('export interface '), text.indexOf('\n}'));
  return new Map([...body.matchAll(/^ {4,8}"([^"]+)"\??: (?:Array<)?(\w*)/gm)].map(([, name, type]) => {
    const from = imports.get(type);
    const found = from && (from.startsWith('.') ? path.resolve(path.dirname(file), from) : require.resolve(from).replace(/\.js$/, ''));
    return [name, found ? `${found}.d.ts` : null];
  }));
}

/** Members that the types do not know, most often typing errors: the schemas allow any. */
function unknownMembers(object, file, where) {
  if (Array.isArray(object)) return object.flatMap((value) => unknownMembers(value, file, where));
  const known = typeof object === 'object' && object !== null && fs.existsSync(file) ? membersOf(file) : new Map();
  if (known.size === 0) return [];
  return Object.entries(object).flatMap(([name, value]) => {
    if (!known.has(name)) return [`${where}${name} is unknown`];
    return known.get(name) ? unknownMembers(value, known.get(name), `${where}${name}.`) : [];
  });
}

function problemsOf(object) {
  const Model = modelOf(object);
  if (!Model) return [`${object.apiVersion} has no ${object.kind}`];
  try {
    new Model(object).validate();
    const types = path.join(path.dirname(require.resolve('kubernetes-models')), object.apiVersion, `${object.kind}.d.ts`);
    return unknownMembers(object, types, '');
  } catch (error) {
    return (error.errors || [error]).map((problem) => `${problem.instancePath || ''} ${problem.message}`);
  }
}

/** Names of ConfigMaps, Secrets, Services and volumes that an object refers to and that are nowhere. */
function danglingNames(object, all) {
  const named = (kind) => new Set(all.filter((other) => other.kind === kind).map((other) => other.metadata.name));
  const spec = object.spec && object.spec.template ? object.spec.template.spec : null;
  if (!spec) return [];
  const problems = [];
  const volumes = new Set([...(spec.volumes || []), ...(object.spec.volumeClaimTemplates || []).map((claim) => claim.metadata)].map((v) => v.name));
  for (const container of [...(spec.initContainers || []), ...spec.containers]) {
    for (const mount of container.volumeMounts || []) if (!volumes.has(mount.name)) problems.push(`no volume ${mount.name}`);
    for (const from of container.envFrom || []) if (!named('ConfigMap').has(from.configMapRef.name)) problems.push(`no ConfigMap ${from.configMapRef.name}`);
  }
  for (const volume of spec.volumes || []) if (volume.secret && !named('Secret').has(volume.secret.secretName)) problems.push(`no Secret ${volume.secret.secretName}`);
  if (object.kind === 'StatefulSet') {
    if (!named('Service').has(object.spec.serviceName)) problems.push(`no Service ${object.spec.serviceName}`);
    const labels = object.spec.template.metadata.labels;
    for (const [name, value] of Object.entries(object.spec.selector.matchLabels)) if (labels[name] !== value) problems.push(`label ${name} is not selected`);
  }
  return problems;
}

const results = [];
const all = [];
for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.yaml')).sort()) {
  for (const object of yaml.loadAll(fs.readFileSync(path.join(folder, name), 'utf8'))) all.push({ ...object, file: name });
}
for (const { file, ...object } of all) {
  results.push([`${file}-${object.kind}-${object.metadata.name}`, [...problemsOf(object), ...danglingNames(object, all)]]);
}

/** That what is wrong is found, so that "ok" above means something. */
function finds(name, change) {
  const { file: _, ...wrong } = JSON.parse(JSON.stringify(all.find((object) => object.kind === 'StatefulSet')));
  change(wrong.spec.template.spec);
  results.push([name, problemsOf(wrong).length === 1 ? [] : ['it was not']]);
}
finds('a-wrong-type-is-found', (spec) => { spec.terminationGracePeriodSeconds = 'long'; });
finds('a-typing-error-is-found', (spec) => { spec.containers[0].securityContext.runAsNonroot = true; });

console.log(`1..${results.length}`);
results.forEach(([name, problems], index) => {
  problems.forEach((problem) => console.log(`# ${problem}`));
  console.log(`${problems.length ? 'not ok' : 'ok'} ${index + 1} ${name}`);
});
