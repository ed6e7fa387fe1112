-- Neovim 0.7 or newer: hints, completion and quick fixes for seatwarden policies.
-- Put this file into ~/.config/nvim/plugin/ (on Windows %LOCALAPPDATA%\nvim\plugin\). What can be set stands first.

local settings = vim.g.seatwarden or {
  command = { "seatwarden", "lsp" },
  snapshot = nil, -- a snapshot of your site (JSON), for completion of its tags, properties and users
}

vim.api.nvim_create_autocmd({ "BufRead", "BufNewFile" }, {
  pattern = "*.policy",
  callback = function() vim.bo.filetype = "seatwarden" end,
})

local running -- the one server for all files

local function is_policy(buffer)
  if vim.bo[buffer].filetype == "seatwarden" then return true end
  local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, 2000, false), "\n")
  return text:find("licenseType:", 1, true) ~= nil
end

vim.api.nvim_create_autocmd("FileType", {
  pattern = { "seatwarden", "yaml" },
  callback = function(opened)
    if not is_policy(opened.buf) then return end
    vim.bo[opened.buf].commentstring = "# %s"
    vim.bo[opened.buf].omnifunc = "v:lua.vim.lsp.omnifunc" -- CTRL-X CTRL-O
    local server = {
      name = "seatwarden",
      cmd = settings.command,
      root_dir = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(opened.buf), ":p:h"),
      init_options = { snapshot = settings.snapshot },
    }
    if vim.lsp.start then -- from 0.8 on
      vim.lsp.start(server)
    else
      running = running or vim.lsp.start_client(server)
      if running then vim.lsp.buf_attach_client(opened.buf, running) end
    end
  end,
})
