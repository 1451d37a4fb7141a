// The icon of chats: two speech bubbles, one over the other. The application gives it the colours of the theme.

export const ICON = {
  name: 'robota_nb:chats',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M4 2h11a2 2 0 0 1 2 2v2H9a3 3 0 0 0-3 3v5H5.500L2 17.500V4a2 2 0 0 1 2-2z"/>
    <path d="M9.500 8H20a2 2 0 0 1 2 2v12l-3.500-3.500H9.500a2 2 0 0 1-2-2V10a2 2 0 0 1 2-2z"/>
  </g>
</svg>`
};
