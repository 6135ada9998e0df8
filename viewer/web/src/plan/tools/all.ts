import type { ToolMaker } from '../bench';
import type { ToolId } from '../plan-state';
import { selectTool } from './select';

export const TOOL_MAKERS: Readonly<Record<ToolId, ToolMaker>> = {
  select: selectTool, draw: selectTool, massing: selectTool, model: selectTool, push: selectTool, move: selectTool, demolish: selectTool,
  paint: selectTool, split: selectTool, park: selectTool, tree: selectTool, street: selectTool, measure: selectTool, section: selectTool,
};
