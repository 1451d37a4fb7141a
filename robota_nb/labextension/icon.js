// The icon of chats: a cell with its gutter, in which somebody speaks. The application gives it the colours of the theme.

export const ICON = {
  name: 'robota_nb:chats',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M2 3h3v18H2z"/>
    <path d="M9 3h11a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-6l-5 5v-5H9a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z"/>
  </g>
</svg>`
};
