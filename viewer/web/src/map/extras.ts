import type { Layer } from '@deck.gl/core';
import type { LonLat, Witness } from '../scheme/types';
import type { Tokens } from './tokens';
import { Relief } from './relief';
import { DraftScene } from './layers/draft-layers';
import { witnessLayers } from './layers/witness-layers';
import { sectionLayers, type Profile } from './section';

/** What is drawn over a city and its scheme while somebody works: drafts, findings, a cut. */
export class Extras {
  readonly draft = new DraftScene();
  witnesses: readonly Witness[] = [];
  private relief = Relief.FLAT;
  private section: { line: readonly [LonLat, LonLat]; profile: Profile; version: number } | null = null;
  private sections = 0;

  get cutting(): readonly [LonLat, LonLat] | null {
    return this.section?.line ?? null;
  }

  cut(line: readonly [LonLat, LonLat] | null, profile: Profile | null): void {
    this.section = line && profile ? { line, profile, version: ++this.sections } : null;
  }

  setRelief(relief: Relief): void {
    this.relief = relief;
    this.draft.relief = relief;
  }

  layers(tokens: Tokens, hoverId: string | null): Layer[] {
    const cut = this.section ? sectionLayers(this.section.line, this.section.profile, this.relief, tokens, this.section.version) : [];
    return [...cut, ...witnessLayers(this.witnesses, this.relief, tokens, hoverId)];
  }
}
