"""One IPython shell: its hooks, and the parts wired together behind them."""
