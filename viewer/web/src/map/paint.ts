import type { ColourBy, Rgba } from './types';
import { withAlpha, type Tokens } from './tokens';
import { attributeColour, commonRange, groundColour, noData, sunColour, surfaceTones } from './palette';
import type { LiveStore } from './live';
import { STILL, type Motion } from './motion';
import type { TilePaint } from './layers/city-tile-layer';

const EDGE_ALPHA = 0.32;
export const CONTACT: Rgba = [20, 18, 14, 51];
const NOTHING: ReadonlySet<string> = new Set();
const NONE: Rgba = [0, 0, 0, 0];

/** Marks a colour that says something: it is drawn in front of a plain building that fills the same space. */
const inFront = (c: Rgba): Rgba => (c[3] === 255 ? [c[0], c[1], c[2], 254] : c);

/** What colours the city: the chosen attribute, the selection, what the pointer rests on. Selection wins over data. */
export class CityPaint {
  colourBy: ColourBy = null;
  selectedId: string | null = null;
  hoverId: string | null = null;
  /** Objects of the base that a scheme replaces or takes away. */
  hidden: ReadonlySet<string> = NOTHING;
  /** Hours of sun by object, while they are shown. */
  sunHours: ReadonlyMap<string, number> | null = null;
  /** While two schemes are compared, what both leave alone steps back. */
  comparing = false;
  motion: Motion = STILL;
  private paint: TilePaint | null = null;
  private ground: TilePaint | null = null;
  private key = '';
  private dataKey = '';
  private tones: TilePaint['tones'] = null;
  private shownHours: ReadonlyMap<string, number> | null = null;

  constructor(
    private tokens: Tokens,
    private readonly live: LiveStore,
  ) {}

  setTokens(tokens: Tokens): void {
    this.tokens = tokens;
    this.key = '';
    this.ground = null;
    this.tones = null;
  }

  get liveProperty(): string | undefined {
    return this.colourBy?.attribute === 'live' ? this.colourBy.observed_property : undefined;
  }

  /** Range of the live colours: chosen, or common to the property; null leaves each datastream its own. */
  get liveRange(): [number, number] | null {
    if (this.colourBy?.attribute !== 'live') return null;
    return this.colourBy.range ?? commonRange(this.live.all(), this.colourBy.observed_property);
  }

  /** The colours of the buildings: the same object until one of them may have changed. */
  buildings(): TilePaint {
    const c = this.colourBy;
    const dataKey = JSON.stringify([c, c?.attribute === 'live' ? this.live.version : 0]);
    const key = JSON.stringify([this.selectedId, this.hoverId, dataKey, this.comparing]);
    const same = this.paint?.hidden === this.hidden && this.shownHours === this.sunHours;
    if (this.paint && same && key === this.key) return this.paint;
    this.shownHours = this.sunHours;
    const { tokens, selectedId, hoverId } = this;
    const fade_ms = dataKey === this.dataKey ? this.motion.fast_ms : this.motion.slow_ms;
    this.key = key;
    this.dataKey = dataKey;
    const range = this.liveRange;
    this.tones ??= { told: surfaceTones(tokens, true), untold: surfaceTones(tokens, false) };
    this.paint = {
      tones: this.tones,
      colourOf: (content, row) => {
        const id = content.ids[row] ?? '';
        if (id === selectedId) return inFront(tokens.get('bldg-selected'));
        if (id === hoverId) return inFront(tokens.get('bldg-hover'));
        return this.dataColour(c, id, (name) => content.columns[name]?.[row], range);
      },
      edge: withAlpha(tokens.get('bldg-edge'), EDGE_ALPHA),
      contact: CONTACT,
      selectedId,
      selectedEdge: tokens.get('bldg-selected-edge'),
      hidden: this.hidden,
      fade_ms,
    };
    return this.paint;
  }

  private dataColour(c: ColourBy, id: string, value: (name: string) => unknown, range: [number, number] | null): Rgba {
    const { tokens, live, sunHours } = this;
    const plain = tokens.get('bldg-default');
    if (sunHours) return sunHours.has(id) ? inFront(sunColour(sunHours.get(id) ?? 0, tokens)) : plain;
    if (!c || c.attribute === 'sun_hours') return plain;
    if (c.attribute !== 'live') return inFront(attributeColour(c.attribute, value(c.attribute), tokens));
    const d = live.forObject(id, c.observed_property);
    // A building nobody measures is not missing data: it stays as it is.
    if (!d) return plain;
    const state = live.state(d);
    return state === 'ok' || state === 'out' ? inFront(live.colour(d, tokens, range)) : noData(tokens);
  }

  groundPaint(): TilePaint {
    const { tokens, hidden } = this;
    if (this.ground?.hidden !== hidden) this.ground = null;
    this.ground ??= {
      tones: null,
      colourOf: (content, row) => groundColour(content.columns['kind']?.[row], tokens),
      edge: NONE,
      contact: NONE,
      selectedId: null,
      selectedEdge: NONE,
      hidden,
      fade_ms: 0,
    };
    return this.ground;
  }
}
