import {
  Activity, ArrowDown, ArrowLeft, ArrowRight, ArrowUp, ArrowUpDown, BadgeCheck, Bell, Blend, Blocks, Bookmark,
  Boxes, Braces, Building2, Cake, Calendar, CalendarDays, ChartColumn, ChartLine, ChartNoAxesColumn, Check, ChevronDown, ChevronLeft,
  ChevronRight, ChevronUp, Circle, CircleAlert, CircleCheck, CircleDot, CircleHelp, CircleX, Clock, Columns3, Copy,
  CreditCard, Crown, Database, Download, Ellipsis, Equal, ExternalLink, Eye, EyeOff, File, FileText, Filter, Fingerprint,
  Folder, Gauge, Gift, Globe, Grid3x3, GripVertical, Hash, Headset, Heart, History, House, Info, Key, Keyboard, Languages,
  LayoutGrid, Lightbulb, Link, List, ListFilter, LoaderCircle, Lock, LogIn, LogOut, Mail, MapPin, Megaphone, Menu,
  MessageCircle, MessageSquare, Minus, Monitor, Moon, MousePointerClick, Package, PackageCheck, PanelLeft, PanelRight, Pause,
  Pencil, Percent, Phone, Play, Plug, Plus, Puzzle, Receipt, RefreshCw, Repeat, RotateCcw, Route, Save, Search, Send, Settings,
  Settings2, ShieldCheck, Shield, ShoppingBag, ShoppingCart, SlidersHorizontal, Smile, Sparkles, Split, Star, Store, Sun,
  Table, Tag, Tags, Target, Ticket, Timer, Trash2, TrendingDown, TrendingUp, TriangleAlert, Truck, Undo2, Unlink, Upload, User,
  UserCheck, UserMinus, UserPlus, Users, UsersRound, Wallet, Wifi, WifiOff, X, Zap,
} from '@lucide/vue'
import type { Component } from 'vue'

/** The icons that the admin ships. Names are Lucide's, so manifests and event types can name them. */
const icons = {
  activity: Activity, 'arrow-down': ArrowDown, 'arrow-left': ArrowLeft, 'arrow-right': ArrowRight, 'arrow-up': ArrowUp,
  'arrow-up-down': ArrowUpDown, 'badge-check': BadgeCheck, bell: Bell, blend: Blend, blocks: Blocks, bookmark: Bookmark,
  boxes: Boxes, braces: Braces, 'building-2': Building2, cake: Cake, calendar: Calendar, 'calendar-days': CalendarDays,
  'chart-column': ChartColumn, 'chart-line': ChartLine, 'chart-no-axes-column': ChartNoAxesColumn, check: Check,
  'chevron-down': ChevronDown, 'chevron-left': ChevronLeft, 'chevron-right': ChevronRight, 'chevron-up': ChevronUp,
  circle: Circle, 'circle-alert': CircleAlert, 'circle-check': CircleCheck, 'circle-dot': CircleDot,
  'circle-help': CircleHelp, 'circle-x': CircleX, clock: Clock, 'columns-3': Columns3, copy: Copy,
  'credit-card': CreditCard, crown: Crown, database: Database, download: Download, ellipsis: Ellipsis, equal: Equal,
  'external-link': ExternalLink, eye: Eye, 'eye-off': EyeOff, file: File, 'file-text': FileText, filter: Filter,
  fingerprint: Fingerprint, folder: Folder, gauge: Gauge, gift: Gift, globe: Globe, 'grid-3x3': Grid3x3,
  'grip-vertical': GripVertical, hash: Hash, headset: Headset, heart: Heart, history: History, house: House, info: Info,
  key: Key, keyboard: Keyboard, languages: Languages, 'layout-grid': LayoutGrid, lightbulb: Lightbulb, link: Link,
  list: List, 'list-filter': ListFilter, 'loader-circle': LoaderCircle, lock: Lock, 'log-in': LogIn, 'log-out': LogOut,
  mail: Mail, 'map-pin': MapPin, megaphone: Megaphone, menu: Menu, 'message-circle': MessageCircle,
  'message-square': MessageSquare, minus: Minus, monitor: Monitor, moon: Moon, 'mouse-pointer-click': MousePointerClick,
  package: Package, 'package-check': PackageCheck, 'panel-left': PanelLeft, 'panel-right': PanelRight, pause: Pause,
  pencil: Pencil, percent: Percent, phone: Phone, play: Play, plug: Plug, plus: Plus, puzzle: Puzzle, receipt: Receipt,
  'refresh-cw': RefreshCw, repeat: Repeat, 'rotate-ccw': RotateCcw, route: Route, save: Save, search: Search, send: Send,
  settings: Settings, 'settings-2': Settings2, shield: Shield, 'shield-check': ShieldCheck, 'shopping-bag': ShoppingBag,
  'shopping-cart': ShoppingCart, 'sliders-horizontal': SlidersHorizontal, smile: Smile, sparkles: Sparkles, split: Split,
  star: Star, store: Store, sun: Sun, table: Table, tag: Tag, tags: Tags, target: Target, ticket: Ticket, timer: Timer,
  'trash-2': Trash2, 'trending-down': TrendingDown, 'trending-up': TrendingUp, 'triangle-alert': TriangleAlert,
  truck: Truck, 'undo-2': Undo2, unlink: Unlink, upload: Upload, user: User, 'user-check': UserCheck,
  'user-minus': UserMinus, 'user-plus': UserPlus, users: Users, 'users-round': UsersRound, wallet: Wallet, wifi: Wifi,
  'wifi-off': WifiOff, x: X, zap: Zap,
} satisfies Record<string, Component>

/** A shipped icon, or any other Lucide name, which shows as a plain dot. */
export type IconName = keyof typeof icons | (string & {})

export function findIcon(name: string): Component | undefined {
  return (icons as Record<string, Component>)[name]
}
