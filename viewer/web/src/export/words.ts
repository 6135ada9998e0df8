/** What only an exported page says; everything else is worded as on the live pages. */
import { lang, type Lang } from '../i18n/index';

const en = {
  exported: 'Exported {when}',
  baseline: 'baseline {n}',
  still: 'A still copy: nothing here changes any more.',
  lead: 'Select a building or a sensor to read what is known about it.',
  valueAt: 'at {when}',
  noValue: 'No value when this was exported.',
  failed: 'The 3D map could not start in this browser.',
  old: 'This page needs a newer browser (with DecompressionStream and WebGL 2).',
  panel: 'City and layers',
};

type Words = Readonly<Record<keyof typeof en, string>>;

const zh: Words = {
  exported: '导出于 {when}',
  baseline: '基线 {n}',
  still: '静态副本：此处内容不再变化。',
  lead: '选择一栋建筑或一个传感器，查看已知信息。',
  valueAt: '{when} 的值',
  noValue: '导出时尚无数值。',
  failed: '此浏览器无法启动三维地图。',
  old: '此页面需要较新的浏览器（支持 DecompressionStream 与 WebGL 2）。',
  panel: '城市与图层',
};

export const WORDS: Readonly<Record<Lang, Words>> = { en, zh };

export const say = (key: keyof Words, params: Readonly<Record<string, string | number>> = {}): string =>
  WORDS[lang()][key].replace(/\{(\w+)\}/g, (whole, name: string) => (params[name] === undefined ? whole : String(params[name])));
