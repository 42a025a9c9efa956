import assert from 'node:assert/strict';
import test from 'node:test';
import { grade } from '../grade/grade.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHost,
} from '../../../test/support/check/planted-evidence.js';
import { renderNagios } from './nagios.js';
import { renderTerminal } from './terminal.js';
import { renderTranscript } from './transcript.js';

const mangled = plantedEvidence({
  hosts: [
    plantedHost({
      addresses: [plantedAddress({ starttls: 'mangled', mangledAs: 'XXXXXXXA\x1b[31m\u202e' })],
    }),
  ],
});

test('the report begins with the domain, the verdict and what happens to its mail', () => {
  const [first, second] = renderTerminal(grade(plantedEvidence())).split('\n');
  assert.equal(first, `planted.example${' '.repeat(80 - 15 - 4)}WARN`);
  assert.match(second ?? '', /^Today mail travels encrypted, but no sender verifies to whom/);
});

test('no line is longer than the width, at 80 and at 120 columns, and the whole fits one screen', () => {
  for (const width of [80, 100, 120]) {
    for (const evidence of [plantedEvidence(), mangled]) {
      for (const line of renderTerminal(grade(evidence), { width, steps: true }).split('\n'))
        assert.ok(line.length <= width, `${line.length}: ${line}`);
    }
  }
  assert.ok(renderTerminal(grade(mangled)).split('\n').length <= 60);
});

test('escape and bidi characters of a server reach no output', () => {
  for (const text of [
    renderTerminal(grade(mangled)),
    renderNagios(grade(mangled)).line,
    renderTranscript(mangled),
  ]) {
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
});

test('colour only on request', () => {
  assert.doesNotMatch(renderTerminal(grade(mangled)), /\x1b/); // eslint-disable-line no-control-regex
  assert.match(renderTerminal(grade(mangled), { color: true }), /\x1b\[31mFAIL/); // eslint-disable-line no-control-regex
});

test('a monitoring plugin gets one line and its own status', () => {
  const { line, status } = renderNagios(grade(mangled));
  assert.equal(status, 2);
  assert.match(line, /^MAILTLS CRITICAL - planted\.example: .* \| fail=1 warn=1 connections=1$/);
});
