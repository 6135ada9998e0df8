import type { ToolMaker } from '../bench';
import type { ToolId } from '../plan-state';
import { demolishTool, treeTool } from './clicks';
import { drawTool, parkTool } from './draw';
import { massingTool, modelTool } from './massing';
import { measureTool, sectionTool } from './measure';
import { moveTool } from './move';
import { networkTool } from './network';
import { paintTool, splitTool } from './parcels';
import { pushTool } from './push';
import { selectTool } from './select';
import { streetTool } from './street';

export const TOOL_MAKERS: Readonly<Record<ToolId, ToolMaker>> = {
  select: selectTool, draw: drawTool, massing: massingTool, model: modelTool, push: pushTool, move: moveTool, demolish: demolishTool,
  paint: paintTool, split: splitTool, park: parkTool, tree: treeTool, street: streetTool, network: networkTool, measure: measureTool, section: sectionTool,
};
