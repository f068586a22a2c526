import { type Component, defineComponent, h, onBeforeUnmount, onMounted, ref } from 'vue';

/** Recorded decodes, played on one clock: `<Replay traces="greedy speculative" views="own" />`. */
export const Replay: Component = defineComponent({
  props: {
    /** Names of files in `apps/playground/traces`, with a blank between them. */
    traces: { type: String, required: true },
    /** Pictures below the lanes: `all`, those of one strategy (`own`), or `none`. */
    views: { type: String, default: 'own' },
  },
  setup({ traces, views }) {
    const place = ref<HTMLElement>();
    let remove: (() => void) | undefined;
    let gone = false;
    onMounted(async () => {
      const { mountReplay } = await import('@foretoken/playground/replay');
      if (place.value === undefined || gone) return;
      remove = await mountReplay(place.value, traces.split(' '), views as 'all' | 'own' | 'none');
      if (gone) remove();
    });
    onBeforeUnmount(() => {
      gone = true;
      remove?.();
    });
    return () => h('div', { ref: place, class: 'replay' });
  },
});
