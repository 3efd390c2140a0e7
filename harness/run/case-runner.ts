import { VitestTestRunner } from 'vitest/runners';
import { defineCase } from './case-module.js';

/** vitest's own runner, but that the modules which it loads are no files: each is the case that its worker was given. */
export default class CaseRunner extends VitestTestRunner {
  override importFile(): Promise<void> {
    return defineCase();
  }
}
