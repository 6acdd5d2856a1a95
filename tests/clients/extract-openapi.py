#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Takes the calls that this project makes out of Box's published OpenAPI document: names, types and shapes, without texts.

usage: extract-openapi.py openapi.json COMMIT >box-openapi.json

The document is https://github.com/box/box-openapi, openapi/openapi.json, (c) Box, Inc., Apache License 2.0.
"""
import json
import sys

CALLS = {
    '/oauth2/token': ['post'],
    '/files/{file_id}': ['get', 'delete'], '/files/{file_id}/content': ['get', 'options', 'post'],
    '/files/content': ['options', 'post'],
    '/files/upload_sessions': ['post'], '/files/{file_id}/upload_sessions': ['post'],
    '/files/upload_sessions/{upload_session_id}': ['get', 'put', 'delete'],
    '/files/upload_sessions/{upload_session_id}/parts': ['get'],
    '/files/upload_sessions/{upload_session_id}/commit': ['post'],
    '/files/{file_id}/versions': ['get'],
    '/files/{file_id}/metadata/{scope}/{template_key}': ['get', 'post', 'put'],
    '/folders': ['post'], '/folders/{folder_id}': ['delete'], '/folders/{folder_id}/items': ['get'],
    '/users/me': ['get'],
}
SHAPE = ('type', 'properties', 'items', 'required', 'enum', 'nullable', 'allOf', 'oneOf', 'anyOf', 'additionalProperties',
         'minItems', 'maxItems', 'minLength', 'maxLength', 'minimum', 'maximum', 'format', '$ref')


def shape_of(schema):
    """The schema without descriptions and examples."""
    result = {}
    for key in SHAPE:
        value = schema.get(key)
        if value is None:
            continue
        if key == 'properties':
            value = {name: shape_of(each) for name, each in value.items()}
        elif key in ('allOf', 'oneOf', 'anyOf'):
            value = [shape_of(each) for each in value]
        elif key in ('items', 'additionalProperties') and isinstance(value, dict):
            value = shape_of(value)
        result[key] = value
    return result


def contents_of(node):
    return {kind: shape_of(body.get('schema', {})) for kind, body in node.get('content', {}).items()}


def call_of(operation):
    parameters = [{'name': p['name'], 'in': p['in'], 'required': p.get('required', False), 'schema': shape_of(p['schema'])}
                  for p in operation.get('parameters', [])]
    replies = {status: {'headers': sorted(reply.get('headers', {})), 'content': contents_of(reply)}
               for status, reply in operation['responses'].items()}
    return {'parameters': parameters, 'body': contents_of(operation.get('requestBody', {})), 'replies': replies}


def references_in(node):
    if isinstance(node, dict):
        if '$ref' in node:
            yield node['$ref'].rpartition('/')[2]
        for value in node.values():
            yield from references_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from references_in(value)


def main():
    path, commit = sys.argv[1:]
    with open(path, encoding='utf-8') as file:
        document = json.load(file)
    calls = {f'{method.upper()} {path}': call_of(document['paths'][path][method])
             for path, methods in CALLS.items() for method in methods if method in document['paths'][path]}
    schemas, wanted = {}, set(references_in(calls))
    while wanted:
        name = wanted.pop()
        schemas[name] = shape_of(document['components']['schemas'][name])
        wanted |= set(references_in(schemas[name])) - set(schemas)
    source = {'document': 'https://github.com/box/box-openapi, openapi/openapi.json', 'commit': commit,
              'copyright': 'Box, Inc.', 'license': 'Apache-2.0', 'changes': 'only the calls below; without texts and examples'}
    json.dump({'source': source, 'calls': calls, 'schemas': dict(sorted(schemas.items()))}, sys.stdout, separators=(',', ':'))
    print()


if __name__ == '__main__':
    main()
