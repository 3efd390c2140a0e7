import { runTool, type ToolCall } from '../base/tool.js';

export { missingTool } from '../base/tool.js';

/** runTool of this room: failing, it could not prepare the kernel. */
export function tool(call: Omit<ToolCall, 'stage'>): Promise<Buffer> {
  return runTool({ ...call, stage: 'kernel' });
}
